"""Several events within one term: rules, reinstatements, premium."""
