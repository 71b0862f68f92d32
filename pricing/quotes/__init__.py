"""Quotes, their seal and reproduction, quoters and selling rules."""
