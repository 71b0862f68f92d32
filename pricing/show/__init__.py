"""How results look: numbers as texts, tables as HTML and as data frames, the style of pictures."""
