"""Paired measurements: each prints its ratio to a floor of the same run."""
