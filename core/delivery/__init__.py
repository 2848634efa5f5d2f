"""What came in and what goes out: inbox, conversations, channel state."""
