"""A Slack of one's own: Web API, events, interactivity and Socket Mode on loopback."""

from channels.testing.slack.delivery import Answered
from channels.testing.slack.fake import FakeSlack, Secrets
from channels.testing.slack.script import Fault
from channels.testing.slack.workspace import FakeWorkspace, SlackMessage

__all__ = ["Answered", "FakeSlack", "FakeWorkspace", "Fault", "Secrets", "SlackMessage"]
