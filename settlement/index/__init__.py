"""Index: its rule, ticks of many venues, weighted medians, a value and a state at every close."""
