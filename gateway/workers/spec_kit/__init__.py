"""Spec kits: four documents that say what is to be built, and what checks them."""
