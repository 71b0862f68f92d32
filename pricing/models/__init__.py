"""How log prices move."""
