"""Compact surfaces, losses and premiums of whole books, and the store of published rates."""
