"""`ops shell`: a conversation with a gateway over one WebSocket."""
