"""Templates: named steps with typed parameters, in versions."""
