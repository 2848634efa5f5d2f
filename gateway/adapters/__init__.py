"""Adapters to what lies outside: files, providers, other hosts."""
