"""Where and how long work runs: workers, locks, digests."""
