"""Rules: which commands wait until other people have approved them."""
