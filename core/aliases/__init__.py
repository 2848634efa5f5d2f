"""Aliases: a team's own words for one command."""
