"""Runs: the one queue, claimed by workers that may die at any moment."""
