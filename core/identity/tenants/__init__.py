"""Tenants: separate installations within one, that never see each other."""
