"""What is promised: trigger, payout, observation, cover, book."""
