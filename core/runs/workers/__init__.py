"""Who claims runs, and when they were last heard of."""
