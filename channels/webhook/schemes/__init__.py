"""How senders sign: one module per kind, all of them `headers in, proof out`."""

from channels.webhook.schemes.base import Proof, Proven, Scheme
from channels.webhook.schemes.every import SCHEMES

__all__ = ["SCHEMES", "Proof", "Proven", "Scheme"]
