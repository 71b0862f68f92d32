"""From closes to checked returns, and what is measured on them."""
