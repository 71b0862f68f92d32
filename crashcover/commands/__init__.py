"""Implementation of each command, after its options are read."""
