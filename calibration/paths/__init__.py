"""The shape of paths, fitted with arch."""
