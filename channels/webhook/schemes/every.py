"""The list of all kinds of signature, by the name that an endpoint has for them."""

from collections.abc import Mapping

from channels.webhook.schemes import github, gitlab, grafana, slack, standard, stripe
from channels.webhook.schemes.base import Scheme

SCHEMES: Mapping[str, Scheme] = {
    "standard": standard.parse,
    "github": github.parse,
    "gitlab": gitlab.parse,
    "stripe": stripe.parse,
    "slack": slack.parse,
    "grafana": grafana.parse,
}
