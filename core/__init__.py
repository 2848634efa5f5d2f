"""The business of Opswire: no web framework, no chat SDK, no task queue."""
