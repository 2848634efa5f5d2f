"""What jobs may be given to work with."""
