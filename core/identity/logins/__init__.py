"""Sign-ins: by password or one-time link, into a session that refreshes itself."""
