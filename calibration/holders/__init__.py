"""Lists of holders and how concentrated they are."""
