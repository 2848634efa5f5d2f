"""Agents: the people, bots and workers that tasks are given to."""
