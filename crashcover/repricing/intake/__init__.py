"""A book of any length: read, checked, set aside, sorted by token."""
