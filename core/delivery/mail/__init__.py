"""What the mail channel remembers: how far it read, what it sent, which tokens count."""
