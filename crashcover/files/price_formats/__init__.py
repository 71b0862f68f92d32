"""Formats in which exchanges, data services and libraries give prices: one entry per format, one reader for all."""
