"""Importance sampling: laws under which deep drops are common, and their mixture."""
