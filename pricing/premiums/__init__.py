"""Premiums: from an expected loss to a premium, line by line."""
