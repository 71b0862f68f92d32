"""Models of the log price."""
