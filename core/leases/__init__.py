"""Who may work on what, for how long: leases with a heartbeat and a fence."""
