"""The report on a book."""
