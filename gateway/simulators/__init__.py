"""Stand-ins for Slack and the mail server, so that demo mode needs no account."""

from gateway.simulators.people import DemoPeople
from gateway.simulators.simulators import Simulators

__all__ = ["DemoPeople", "Simulators"]
