"""Subscriptions: who outside is told of events and of replies, and how that went."""
