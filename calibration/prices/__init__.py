"""Checks of closes, returns, and the measures computed from them."""
