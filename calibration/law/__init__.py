"""The law of a month's worst drop, for one token."""
