"""Claims and payments: states, double entry, the store, the instructions that leave."""
