"""What writes drafts: the mock, and those that are reached over HTTP."""
