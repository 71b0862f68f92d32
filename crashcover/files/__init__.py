"""Reading and writing files; error messages name the row."""
