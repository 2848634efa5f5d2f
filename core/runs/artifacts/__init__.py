"""What runs leave behind: files and texts with their digests."""
