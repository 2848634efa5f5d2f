"""Chat workspaces that the app is installed into, each with a token of its own."""
