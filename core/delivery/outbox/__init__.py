"""What leaves: stored with the effect that caused it, delivered afterwards."""
