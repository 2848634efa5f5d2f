"""Secrets that steps are given, sealed where they are kept."""
