"""What happened: append-only, one gapless sequence per tenant."""
