"""Jobs: what is wanted becomes variants, one is accepted and exported."""
