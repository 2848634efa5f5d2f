"""What steps may use, by name."""
