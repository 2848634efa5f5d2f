"""Senders that many people have: how each proves itself, and what is made of its news.

The rules look at what is signed, the body, and never at a header. Their keys are those
that the sender gives its own objects, so that what is over can be found again.
In JMESPath `!a.b` means `(!a).b`, hence the parentheses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.hooks.model import HookAuth, PayloadMap
from core.hooks.samples import ALERTS, GITHUB, GITLAB, SLACK, STRIPE
from core.kernel.jsons import Json


class PresetName(StrEnum):
    """The senders that are known by name."""

    GITHUB = "github"
    GITLAB = "gitlab"
    STRIPE = "stripe"
    SLACK = "slack"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What an endpoint for one sender is made of, and a payload to try it with."""

    auth: HookAuth
    rules: tuple[PayloadMap, ...]
    sample: Json


def _ensure(
    filter_: str, *, key: str, title: str, body: str, is_again: bool = False
) -> PayloadMap:
    """Have a task for something; `is_again` reopens one that was finished."""
    return PayloadMap(
        command="task ensure",
        filter=filter_,
        templates={"title": title},
        arguments={"external_key": key, "body": body},
        fixed={"again": True} if is_again else {},
    )


def _withdraw(filter_: str, *, key: str, reason: str) -> PayloadMap:
    """Let go of the task for something that is over."""
    return PayloadMap(
        command="task withdraw",
        filter=filter_,
        arguments={"external_key": key},
        fixed={"reason": reason},
    )


_ALERT_RULES = (
    PayloadMap(
        command="task ensure",
        each="alerts[?status == 'firing']",
        templates={
            "title": "{labels.alertname}: {annotations.summary || labels.severity}"
        },
        arguments={
            "external_key": "fingerprint",
            "body": "annotations.description || generatorURL",
        },
        fixed={"again": True},
    ),
    PayloadMap(
        command="task withdraw",
        each="alerts[?status == 'resolved']",
        arguments={"external_key": "fingerprint"},
        fixed={"reason": "resolved"},
    ),
)

_OF_DEFAULT_BRANCH = "ref == join('', ['refs/heads/', {0}.default_branch])"
_WORKFLOW = (
    "join(':', ['workflow', to_string(workflow_run.workflow_id), "
    "workflow_run.head_branch || ''])"
)
_PIPELINE = "join(':', ['pipeline', to_string(project.id), object_attributes.ref])"
_OF_ISSUE = "issue && !comment && !(issue.pull_request)"
_OPENED = "(action == 'opened' || action == 'reopened')"

_GITHUB_RULES = (
    _ensure(
        "after && !deleted && repository.default_branch && "
        + _OF_DEFAULT_BRANCH.format("repository"),
        key="join(':', ['push', after])",
        title="Review {repository.full_name}: {head_commit.message || ref}",
        body="compare",
    ),
    _ensure(
        f"{_OF_ISSUE} && {_OPENED}",
        key="issue.html_url",
        title="{repository.full_name}#{issue.number}: {issue.title}",
        body="issue.html_url",
        is_again=True,
    ),
    _withdraw(
        f"{_OF_ISSUE} && action == 'closed'",
        key="issue.html_url",
        reason="closed on GitHub",
    ),
    _ensure(
        "action == 'completed' && workflow_run.conclusion == 'failure'",
        key=_WORKFLOW,
        title="{repository.full_name}: {workflow_run.name} fails on "
        "{workflow_run.head_branch}",
        body="workflow_run.html_url",
        is_again=True,
    ),
    _withdraw(
        "action == 'completed' && workflow_run.conclusion == 'success'",
        key=_WORKFLOW,
        reason="passes again",
    ),
)

_IS_ISSUE = "object_kind == 'issue' && "
_GITLAB_RULES = (
    _ensure(
        "object_kind == 'push' && checkout_sha && project.default_branch && "
        + _OF_DEFAULT_BRANCH.format("project"),
        key="join(':', ['push', checkout_sha])",
        title="Review {project.path_with_namespace}: {commits[-1].message || ref}",
        body="commits[-1].url",
    ),
    _ensure(
        _IS_ISSUE + "contains(['open', 'reopen'], object_attributes.action)",
        key="object_attributes.url",
        title="{project.path_with_namespace}#{object_attributes.iid}: "
        "{object_attributes.title}",
        body="object_attributes.url",
        is_again=True,
    ),
    _withdraw(
        _IS_ISSUE + "object_attributes.action == 'close'",
        key="object_attributes.url",
        reason="closed on GitLab",
    ),
    _ensure(
        "object_kind == 'pipeline' && object_attributes.status == 'failed'",
        key=_PIPELINE,
        title="{project.path_with_namespace}: the pipeline fails on "
        "{object_attributes.ref}",
        body="object_attributes.url",
        is_again=True,
    ),
    _withdraw(
        "object_kind == 'pipeline' && object_attributes.status == 'success'",
        key=_PIPELINE,
        reason="passes again",
    ),
)

_STRIPE_RULES = (
    _ensure(
        "type && "
        "contains(['invoice.payment_failed', 'payment_intent.payment_failed'], type)",
        key="data.object.id",
        title="Payment failed: {data.object.id} of "
        "{data.object.customer_email || data.object.customer || 'a customer'}",
        body="data.object.last_payment_error.message || data.object.hosted_invoice_url",
        is_again=True,
    ),
    _withdraw(
        "type && contains(['invoice.paid', 'payment_intent.succeeded'], type)",
        key="data.object.id",
        reason="paid",
    ),
)

_SLACK_RULES = (
    _ensure(
        "(text || event.text) && !bot_id && !(event.bot_id) && "
        "(trigger_id || event_id || timestamp)",
        key="trigger_id || event_id || timestamp",
        title="{text || event.text}",
        body="join(' ', ['From', user_name || event.user || 'somebody'])",
    ),
)

PRESETS: Mapping[PresetName, Preset] = {
    PresetName.GITHUB: Preset(auth=HookAuth.GITHUB, rules=_GITHUB_RULES, sample=GITHUB),
    PresetName.GITLAB: Preset(auth=HookAuth.GITLAB, rules=_GITLAB_RULES, sample=GITLAB),
    PresetName.STRIPE: Preset(auth=HookAuth.STRIPE, rules=_STRIPE_RULES, sample=STRIPE),
    PresetName.SLACK: Preset(auth=HookAuth.SLACK, rules=_SLACK_RULES, sample=SLACK),
    PresetName.ALERTMANAGER: Preset(
        auth=HookAuth.KEY, rules=_ALERT_RULES, sample=ALERTS
    ),
    PresetName.GRAFANA: Preset(
        auth=HookAuth.GRAFANA, rules=_ALERT_RULES, sample=ALERTS
    ),
}
