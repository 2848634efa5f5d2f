"""Named beginnings of jobs."""
