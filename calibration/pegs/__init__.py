"""Tokens that follow another price: how they are recognised, what is on record about them, and what they cost."""
