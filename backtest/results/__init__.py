"""Results as plain values, pictures and a page."""
