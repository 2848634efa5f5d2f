"""The HTTP surfaces of the gateway."""
