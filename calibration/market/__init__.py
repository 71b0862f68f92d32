"""Fit of the laws to a panel of tokens."""
