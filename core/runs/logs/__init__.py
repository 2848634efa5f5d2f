"""What steps printed, in chunks, kept apart from the events."""
