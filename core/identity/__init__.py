"""Who may come in: tenants, people, keys, sessions, and accounts on channels."""
