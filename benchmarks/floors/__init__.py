"""The servers that do next to nothing: what our stack costs before we add anything."""
