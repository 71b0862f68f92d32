"""Static hedges of a cover."""
