"""Where steps run: a folder, a clean environment, limits, and an end."""
