"""Who writes variants, behind one Protocol."""
