"""Worst drops of simulated paths, and estimates from them."""
