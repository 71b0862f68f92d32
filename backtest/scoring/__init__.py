"""How good quotes were."""
