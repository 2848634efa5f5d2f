"""Words every other package shares; pure, and importing nothing of ours."""
