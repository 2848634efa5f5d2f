"""`ops`: verbs of this machine, and every command of a gateway from the terminal."""
