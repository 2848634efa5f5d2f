"""Requests: commands that wait until enough other people have approved them."""
