"""Output on the terminal and in pictures."""
