"""Tools that check the project; none of them runs in the gateway."""
