"""Workers: one executor of runs, on three kinds of host."""
