"""Proposals: commands that wait until somebody confirms exactly them."""
