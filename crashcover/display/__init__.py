"""What people see on a terminal and in pictures."""
