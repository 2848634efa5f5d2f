"""One person behind five channels, each a real door of a gateway of its own."""
