"""Stand-ins for Slack and the mail server, so that demo mode needs no account."""

from gateway.simulators.acts import SlackAct, WrittenMail, parse_act, parse_mail
from gateway.simulators.simulators import Simulators

__all__ = ["Simulators", "SlackAct", "WrittenMail", "parse_act", "parse_mail"]
