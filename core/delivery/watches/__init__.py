"""Who wants to hear of an object, and where; and the messages that show its state."""
