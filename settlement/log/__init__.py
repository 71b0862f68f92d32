"""Public log: a Merkle tree over entries, proofs, the file that keeps them, signed checkpoints."""
