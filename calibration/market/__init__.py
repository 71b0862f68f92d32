"""What a panel of tokens teaches."""
