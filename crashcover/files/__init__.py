"""Reading and writing files, with the row in every error."""
