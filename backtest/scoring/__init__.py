"""Scores of the quotes."""
