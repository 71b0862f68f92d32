"""Presentation of results: numbers as texts, tables as HTML and as data frames, the style of pictures."""
