"""Contracts: trigger, payout, observation, cover, book."""
