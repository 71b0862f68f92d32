"""The report on covers of one token."""
