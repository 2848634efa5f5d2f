"""Working together: tasks, the agents that do them, and the leases in between."""
