"""Infrastructure of runs: workers, locks, digests."""
