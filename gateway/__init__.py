"""The composition root and every server surface; imported by nobody else."""
