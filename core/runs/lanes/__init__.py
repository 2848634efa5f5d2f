"""How much of the fleet each lane gets, and whether it is open."""
