"""The steps of each attempt of a run, as its worker told of them."""
