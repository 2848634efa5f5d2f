"""What can be asked, once, for all doors."""
