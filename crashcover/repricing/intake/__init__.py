"""Intake of a book of any length: read, checked, quarantined, sorted by token."""
