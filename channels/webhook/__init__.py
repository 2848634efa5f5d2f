"""The webhook channel: what others deliver fills in the arguments of a fixed command."""

CHANNEL = "webhook"
BODY_LIMIT_BYTES = 1_048_576
