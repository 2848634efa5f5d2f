"""What authors of channels test and show them with: stand-ins for the world outside."""
