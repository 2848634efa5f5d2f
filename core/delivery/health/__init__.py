"""How the channels stand with the world outside, as the gateways last saw it."""
