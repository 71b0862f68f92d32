"""Prices from exchanges through ccxt; ``crashcover fetch`` alone imports this package."""
