"""One case for every command: what comes before it, and three ways to say it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.api.gateway import Gateway
from tests.api.job_sets import a_reviewed_job, an_accepted_variant
from tests.api.run_sets import a_held_run, an_artifact, an_unapproved_run
from tests.api.stage_sets import (
    DELIVERY,
    a_failed_callback,
    a_failed_delivery,
    a_failed_plugin,
    a_failed_post,
    a_fire,
    a_mailbox,
)

Setting = Callable[[Gateway], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A command that works.

    Shape:  ann says the lines of `before`; those that begin with `!` are the admin's.
            `line` and `args` say the same. Both may name earlier answers, as in
            `{0[data][code]}`. `setting` is what no line can bring about. `random` names fields that no two runs share.
    """

    line: str
    args: Mapping[str, Any] = field(default_factory=dict)
    before: Sequence[str] = ()
    setting: Setting | None = None
    random: frozenset[str] = frozenset()


_TASK = 'task create "Fix login" --dod tests'
_JOB = 'job create "Notes" --preset changelog'
_PRESET = ('preset create weekly --prompt "Sum it up."',)
_TOOL = "tool create search-docs"
_REVIEW = (
    _TASK,
    "task claim T-1",
    "task move T-1 in_progress",
    "task tick T-1 tests",
    "task move T-1 review",
)
_LEASE = "lease acquire deploy-prod --ttl 15m"
_AGENT = "agent register ann --role reviewer --skills python"
_HOOK = ("!webhook create alerts --command version", "!confirm {0[data][token]}")
_TRIGGER = (
    "!trigger create tell --on task_created --command version",
    "!confirm {0[data][token]}",
)
_SCHEDULE = (
    (
        '!schedule add "task create nightly --lane B" --cron "0 7 * * 1-5" '
        "--tz Europe/Berlin --name nightly"
    ),
)
_RULE = "!approval rule set 'task note' --need 2"
_WAITING = (_RULE, _TASK, "task note T-1 hello")
_TOKEN = "xoxb-0123456789-invented"  # pragma: allowlist secret
_WORKSPACE = f"!workspace add acme {_TOKEN}"
_DEPLOY_KEY = f"!secret set DEPLOY_KEY {_TOKEN}"
_MANUAL = (
    '!run create --kind manual --input {{"what":"call"}}',
    "!confirm {0[data][token]}",
)
_OVER = (*_MANUAL, "!run cancel R-1", "!confirm {2[data][token]}")
_NEW_KEY = frozenset({"key", "prefix"})
_CHAIN = frozenset({"hash", "head", "request_id"})

_ALIAS = (
    (
        """!alias create deploy --match 'deploy {{app}} [to] {{env=staging}}' """
        """--command 'task create "Deploy {{app}} to {{env}}"'"""
    ),
    "!confirm {0[data][token]}",
)

_HELLO = "name: hello\nsteps:\n  - name: greet\n    run: echo hello"
_GOODBYE = _HELLO.replace("echo hello", "echo goodbye")
_TEMPLATE = (f"!template create '{_HELLO}'",)
_TWO_EDITIONS = (*_TEMPLATE, f"!template set hello '{_GOODBYE}'")

CASES: Mapping[str, Case] = {
    "artifact list": Case(
        line="artifact list R-1", args={"run": "R-1"}, setting=an_artifact
    ),
    "artifact show": Case(
        line="artifact show A-1", args={"artifact": "A-1"}, setting=an_artifact
    ),
    "artifact put": Case(
        line='artifact put R-1 --fence 1 --name plan.md --content "# Plan"',
        args={"run_id": "R-1", "fence": 1, "name": "plan.md", "content": "# Plan"},
        setting=a_held_run,
    ),
    "run logs": Case(
        line="run logs R-1 --step build --tail 5",
        args={"run": "R-1", "step": "build", "tail": 5},
        setting=a_held_run,
    ),
    "alias create": Case(
        line="""alias create go --match 'go {{x}}' --command 'task create "{{x}}"'""",
        args={"name": "go", "match": ["go {x}"], "command": 'task create "{{x}}"'},
    ),
    "alias list": Case(line="alias list", before=_ALIAS),
    "alias show": Case(
        line="alias show deploy", args={"alias": "deploy"}, before=_ALIAS
    ),
    "alias set": Case(
        line="alias set deploy --description 'Asks for it'",
        args={"alias": "deploy", "description": "Asks for it"},
        before=_ALIAS,
    ),
    "alias delete": Case(
        line="alias delete deploy", args={"alias": "deploy"}, before=_ALIAS
    ),
    "alias test": Case(
        line='alias test "deploy web prod"',
        args={"text": "deploy web prod"},
        before=_ALIAS,
    ),
    "whoami": Case(line="whoami"),
    "help": Case(line="help task create", args={"topic": ["task", "create"]}),
    "version": Case(line="version"),
    "status": Case(line="status", before=(_TASK,)),
    "confirm": Case(line="confirm", before=("!channel disable webhook",)),
    "cancel": Case(
        line="cancel", before=("!channel disable webhook",), random=frozenset({"id"})
    ),
    "more": Case(line="more", before=(_TASK, _TASK, "!task list --limit 1")),
    "last": Case(line="last", before=(_TASK, "!task show T-1")),
    "undo": Case(line="undo", before=(f"!{_TASK}",)),
    "press": Case(
        line="press {0[id]}.1", args={"button": "{0[id]}.1"}, before=(_TASK,)
    ),
    "link": Case(line="link", random=frozenset({"code"})),
    "this": Case(line="this", before=(_TASK, "!task show T-1")),
    "refer": Case(
        line="show #1",
        args={"line": "show #1"},
        before=(_TASK, _TASK, "!task list"),
    ),
    "needs": Case(line="needs", before=_WAITING),
    "why": Case(
        line="why {0[id]}",
        args={"request": "{0[id]}"},
        before=(_TASK,),
        random=frozenset({"id"}),
    ),
    "unlink": Case(
        line="unlink rest",
        args={"channel": "rest"},
        before=("link", "!link {0[data][code]}"),
    ),
    "catalog": Case(line="catalog"),
    "reply show": Case(
        line="reply show {0[id]}",
        args={"reply": "{0[id]}"},
        before=(f"!{_TASK}",),
        random=frozenset({"id", "request_id", "url"}),
    ),
    "task create": Case(
        line='task create "Fix login" --lane B --needs T-1 --dod "tests,docs" --priority 5',
        args={
            "title": "Fix login",
            "lane": "B",
            "needs": ["T-1"],
            "dod": ["tests", "docs"],
            "priority": 5,
        },
        before=(_TASK,),
    ),
    "task list": Case(
        line="task list --status queued --limit 1",
        args={"status": "queued", "limit": 1},
        before=(_TASK, _TASK),
    ),
    "task show": Case(line="task show T-1", args={"task": "T-1"}, before=(_TASK,)),
    "task set": Case(
        line="task set T-1 --title Other --labels a,b --if-match {0[data][etag]}",
        args={
            "task": "T-1",
            "title": "Other",
            "labels": ["a", "b"],
            "if_match": "{0[data][etag]}",
        },
        before=(_TASK,),
    ),
    "task move": Case(
        line="task move T-1 abandoned --reason obsolete",
        args={"task": "T-1", "status": "abandoned", "reason": "obsolete"},
        before=(_TASK,),
    ),
    "task ensure": Case(
        line='task ensure "The disk is full" --external-key disk:db-1 --again',
        args={"title": "The disk is full", "external_key": "disk:db-1", "again": True},
    ),
    "task withdraw": Case(
        line="task withdraw disk:db-1 --reason resolved",
        args={"external_key": "disk:db-1", "reason": "resolved"},
        before=("task ensure x --external-key disk:db-1",),
    ),
    "task claim": Case(
        line="claim T-1 --ttl 30m", args={"task": "T-1", "ttl": "30m"}, before=(_TASK,)
    ),
    "task release": Case(
        line="task release T-1", args={"task": "T-1"}, before=(_TASK, "!task claim T-1")
    ),
    "task approve": Case(
        line='approve T-1 --reason "tests green"',
        args={"task": "T-1", "reason": "tests green"},
        before=_REVIEW,
    ),
    "task reject": Case(
        line="reject T-1 --reason slow",
        args={"task": "T-1", "reason": "slow"},
        before=_REVIEW,
    ),
    "task block": Case(
        line="task block T-2 --needs T-1",
        args={"task": "T-2", "needs": ["T-1"]},
        before=(_TASK, _TASK),
    ),
    "task unblock": Case(
        line="task unblock T-1",
        args={"task": "T-1"},
        before=(_TASK, "task block T-1 --reason access"),
    ),
    "task note": Case(
        line='task note T-1 "see https://x.example/a?b=c"',
        args={"task": "T-1", "text": "see https://x.example/a?b=c"},
        before=(_TASK,),
    ),
    "task tick": Case(
        line="task tick T-1 tests",
        args={"task": "T-1", "which": "tests"},
        before=(_TASK,),
    ),
    "lease acquire": Case(
        line="lease acquire deploy-prod --ttl 15m",
        args={"resource": "deploy-prod", "ttl": "15m"},
    ),
    "lease renew": Case(
        line="lease renew L-1 --fence 1",
        args={"lease": "L-1", "fence": 1},
        before=(f"!{_LEASE}",),
    ),
    "lease release": Case(
        line="lease release L-1 --fence 1",
        args={"lease": "L-1", "fence": 1},
        before=(f"!{_LEASE}",),
    ),
    "lease list": Case(
        line="lease list --holder ann", args={"holder": "ann"}, before=(_LEASE,)
    ),
    "lease show": Case(line="lease show L-1", args={"lease": "L-1"}, before=(_LEASE,)),
    "lease reclaim": Case(
        line="lease reclaim L-1 --reason gone",
        args={"lease": "L-1", "reason": "gone"},
        before=(_LEASE,),
    ),
    "lease sweep": Case(line="lease sweep", before=(_LEASE,)),
    "event add": Case(
        line='event add deploy_finished --target web-1 --details {{"a":1}}',
        args={"event": "deploy_finished", "target": "web-1", "details": {"a": 1}},
    ),
    "event list": Case(
        line="event list --type task_created --limit 1",
        args={"type": "task_created", "limit": 1},
        before=(_TASK, _TASK),
    ),
    "event tail": Case(
        line="event tail --task T-1", args={"task": "T-1"}, before=(_TASK,)
    ),
    "event log": Case(
        line="event log --since 24h", args={"since": "24h"}, before=(_TASK,)
    ),
    "state show": Case(
        line="state show tasks", args={"kind": "tasks"}, before=(_TASK,)
    ),
    "agent register": Case(
        line=_AGENT, args={"name": "ann", "role": "reviewer", "skills": ["python"]}
    ),
    "agent list": Case(
        line="agent list --skill python --available",
        args={"skill": "python", "available": True},
        before=(_AGENT,),
    ),
    "agent show": Case(line="agent show ann", args={"agent": "ann"}, before=(_AGENT,)),
    "agent enable": Case(
        line="agent enable ann", args={"agent": "ann"}, before=(_AGENT,)
    ),
    "agent disable": Case(
        line="agent disable ann", args={"agent": "ann"}, before=(_AGENT,)
    ),
    "agent set": Case(
        line="agent set ann busy",
        args={"agent": "ann", "status": "busy"},
        before=(_AGENT,),
    ),
    "channel list": Case(line="channel list"),
    "channel show": Case(line="channel show webhook", args={"channel": "webhook"}),
    "channel disable": Case(
        line="channel disable webhook --reason flood",
        args={"channel": "webhook", "reason": "flood"},
    ),
    "channel enable": Case(line="channel enable webhook", args={"channel": "webhook"}),
    "channel limit": Case(
        line="channel limit rest 600/minute --per family",
        args={"channel": "rest", "rate": "600/minute", "per": "family"},
    ),
    "channel test": Case(line="channel test webhook", args={"channel": "webhook"}),
    "outbox list": Case(
        line="outbox list --status dead --channel slack",
        args={"status": "dead", "channel": "slack"},
        setting=a_failed_delivery,
    ),
    "outbox show": Case(
        line="outbox show D-1", args={"delivery": "D-1"}, setting=a_failed_delivery
    ),
    "outbox replay": Case(
        line="outbox replay --channel slack",
        args={"channel": "slack"},
        setting=a_failed_delivery,
    ),
    "outbox drop": Case(
        line="outbox drop D-1", args={"delivery": "D-1"}, setting=a_failed_delivery
    ),
    "watch": Case(
        line="watch T-1 by email",
        args={"target": "T-1", "by": ["email"]},
        before=(_TASK,),
        setting=a_mailbox,
    ),
    "unwatch": Case(
        line="unwatch T-1",
        args={"target": "T-1"},
        before=(_TASK, "!watch T-1 by email"),
        setting=a_mailbox,
    ),
    "watch list": Case(
        line="watch list",
        before=(_TASK, "!watch T-1 by email"),
        setting=a_mailbox,
    ),
    "user create": Case(
        line="user create bob --roles operator --email bob@example.org",
        args={"name": "bob", "roles": ["operator"], "email": "bob@example.org"},
    ),
    "user list": Case(line="user list --limit 1", args={"limit": 1}),
    "user show": Case(line="user show ann", args={"user": "ann"}),
    "user invite": Case(
        line="user invite ann", args={"user": "ann"}, random=frozenset({"token"})
    ),
    "user set": Case(
        line="user set ann --roles viewer --timezone Europe/Berlin",
        args={"user": "ann", "roles": ["viewer"], "timezone": "Europe/Berlin"},
    ),
    "user disable": Case(
        line="user disable ann --reason left", args={"user": "ann", "reason": "left"}
    ),
    "user enable": Case(line="user enable ann", args={"user": "ann"}),
    "tenant create": Case(
        line='tenant create acme --name "Acme Inc"',
        args={"tenant": "acme", "name": "Acme Inc"},
    ),
    "tenant list": Case(line="tenant list"),
    "tenant show": Case(line="tenant show default", args={"tenant": "default"}),
    "key create": Case(
        line="key create ci --scopes tasks:read --ttl 90d --user ann",
        args={"name": "ci", "scopes": ["tasks:read"], "ttl": "90d", "user": "ann"},
        random=_NEW_KEY,
    ),
    "key list": Case(line="key list", random=_NEW_KEY),
    "key show": Case(line="key show K-1", args={"key": "K-1"}, random=_NEW_KEY),
    "key rotate": Case(
        line="key rotate K-1 --overlap 1h",
        args={"key": "K-1", "overlap": "1h"},
        random=_NEW_KEY,
    ),
    "key revoke": Case(
        line="key revoke K-1 --reason leaked",
        args={"key": "K-1", "reason": "leaked"},
        random=_NEW_KEY,
    ),
    "approval rule set": Case(
        line="approval rule set 'lease reclaim' --need 2 --role admin",
        args={"command": "lease reclaim", "need": 2, "role": "admin"},
    ),
    "approval rule list": Case(line="approval rule list", before=(_RULE,)),
    "approval rule delete": Case(
        line="approval rule delete 'task note' --confirm 'task note'",
        args={"command": "task note", "confirm": "task note"},
        before=(_RULE,),
    ),
    "approval list": Case(
        line="approval list --status waiting",
        args={"status": "waiting"},
        before=_WAITING,
    ),
    "approval show": Case(line="AP-1", args={"approval": "AP-1"}, before=_WAITING),
    "approval approve": Case(
        line="approve AP-1 --reason fine",
        args={"approval": "AP-1", "reason": "fine"},
        before=_WAITING,
    ),
    "approval reject": Case(
        line="reject AP-1 --reason slow",
        args={"approval": "AP-1", "reason": "slow"},
        before=_WAITING,
    ),
    "approval cancel": Case(
        line="cancel AP-1",
        args={"approval": "AP-1"},
        before=(_RULE, _TASK, "!task note T-1 hello"),
    ),
    "audit list": Case(
        line="audit list --actor ann --verdict allowed",
        args={"actor": "ann", "verdict": "allowed"},
        before=(_TASK,),
        random=_CHAIN,
    ),
    "audit verify": Case(line="audit verify", before=(_TASK,), random=_CHAIN),
    "plugin list": Case(line="plugin list", setting=a_failed_plugin),
    "plugin show": Case(
        line="plugin show hello", args={"plugin": "hello"}, setting=a_failed_plugin
    ),
    "webhook create": Case(
        line='webhook create alerts --command "task create" --templates {{"title":"{{a}}"}}',
        args={
            "name": "alerts",
            "command": "task create",
            "templates": {"title": "{{a}}"},
        },
        random=frozenset({"secret"}),
    ),
    "template list": Case(line="template list", before=_TEMPLATE),
    "template show": Case(
        line="template show hello --edition 1",
        args={"template": "hello", "edition": 1},
        before=_TWO_EDITIONS,
    ),
    "template versions": Case(
        line="template versions hello",
        args={"template": "hello"},
        before=_TWO_EDITIONS,
    ),
    "template diff": Case(
        line="template diff hello 1 2",
        args={"template": "hello", "before": 1, "after": 2},
        before=_TWO_EDITIONS,
    ),
    "template create": Case(line=f"template create '{_HELLO}'", args={"text": _HELLO}),
    "template set": Case(
        line=f"template set hello '{_GOODBYE}' --if-match {{0[data][etag]}}",
        args={
            "template": "hello",
            "text": _GOODBYE,
            "if_match": "{0[data][etag]}",
        },
        before=_TEMPLATE,
    ),
    "template delete": Case(
        line="template delete hello", args={"template": "hello"}, before=_TEMPLATE
    ),
    "template validate": Case(
        line="template validate demo-deploy env=prd version=1.9.2",
        args={"template": "demo-deploy", "params": ["env=prd", "version=1.9.2"]},
    ),
    "template run": Case(
        line="template run spec-kit name=Pay",
        args={"template": "spec-kit", "params": ["name=Pay"]},
    ),
    "run start": Case(
        line=(
            "run start demo-deploy env=prod version=1.9.2 --lane A "
            "--labels gpu --key nightly --delay 1h"
        ),
        args={
            "template": "demo-deploy",
            "params": ["env=prod", "version=1.9.2"],
            "lane": "A",
            "labels": ["gpu"],
            "key": "nightly",
            "delay": "1h",
        },
    ),
    "run create": Case(
        line=(
            'run create --kind manual --input {{"what":"call","n":[1]}} --lane B '
            "--idempotency-key k1 --delay 1h"
        ),
        args={
            "kind": "manual",
            "input": {"what": "call", "n": [1]},
            "lane": "B",
            "idempotency_key": "k1",
            "delay": "1h",
        },
    ),
    "run list": Case(
        line="run list --lane C --status queued,claimed",
        args={"lane": "C", "status": ["queued", "claimed"]},
        setting=a_held_run,
    ),
    "run show": Case(line="R-1", args={"run": "R-1"}, setting=a_held_run),
    "run steps": Case(line="run steps R-1", args={"run": "R-1"}, setting=a_held_run),
    "run events": Case(
        line="run events R-1 --limit 5",
        args={"run": "R-1", "limit": 5},
        setting=a_held_run,
        random=frozenset({"seq"}),
    ),
    "run explain": Case(line="run explain R-1", args={"run": "R-1"}, before=_MANUAL),
    "run retry": Case(line="run retry R-1", args={"run": "R-1"}, before=_OVER),
    "run pause": Case(
        line="pause R-1 --reason busy",
        args={"run": "R-1", "reason": "busy"},
        before=_MANUAL,
    ),
    "run resume": Case(
        line="resume R-1", args={"run": "R-1"}, before=(*_MANUAL, "!run pause R-1")
    ),
    "run cancel": Case(
        line='cancel R-1 --reason "wrong version"',
        args={"run_id": "R-1", "reason": "wrong version"},
        before=_MANUAL,
    ),
    "run approve": Case(
        line="approve R-1", args={"run": "R-1"}, setting=an_unapproved_run
    ),
    "run bulk": Case(
        line="run bulk cancel R-1 R-2 --reason obsolete",
        args={"action": "cancel", "ids": ["R-1", "R-2"], "reason": "obsolete"},
        before=_MANUAL,
    ),
    "run claim": Case(
        line="run claim w1 --lanes C,D --limit 2",
        args={"worker": "w1", "lanes": ["C", "D"], "limit": 2},
        before=_MANUAL,
    ),
    "run heartbeat": Case(
        line='run heartbeat R-1 --fence 1 --progress {{"done":1,"total":4}}',
        args={"run_id": "R-1", "fence": 1, "progress": {"done": 1, "total": 4}},
        setting=a_held_run,
    ),
    "run report": Case(
        line=(
            "run report R-1 --fence 1 --events "
            '[{{"type":"step","step":"build","status":"running"}}]'
        ),
        args={
            "run_id": "R-1",
            "fence": 1,
            "events": [{"type": "step", "step": "build", "status": "running"}],
        },
        setting=a_held_run,
    ),
    "run complete": Case(
        line='run complete R-1 succeeded --fence 1 --result {{"answer":"yes"}}',
        args={
            "run_id": "R-1",
            "status": "succeeded",
            "fence": 1,
            "result": {"answer": "yes"},
        },
        setting=a_held_run,
    ),
    "run hand-back": Case(
        line="run hand-back R-1 --fence 1 --reason leaving",
        args={"run_id": "R-1", "fence": 1, "reason": "leaving"},
        setting=a_held_run,
    ),
    "run secrets": Case(
        line="run secrets R-1 --fence 1",
        args={"run_id": "R-1", "fence": 1},
        setting=a_held_run,
    ),
    "worker list": Case(line="worker list", setting=a_held_run),
    "worker show": Case(
        line="worker show w1", args={"worker": "w1"}, setting=a_held_run
    ),
    "worker drain": Case(
        line="worker drain w1", args={"worker": "w1"}, setting=a_held_run
    ),
    "worker resume": Case(
        line="worker resume w1",
        args={"worker": "w1"},
        setting=a_held_run,
        before=("!worker drain w1",),
    ),
    "lane list": Case(line="lane list", before=_MANUAL),
    "lane set": Case(
        line="lane set B --concurrency 2 --weight 3",
        args={"lane": "B", "concurrency": 2, "weight": 3},
    ),
    "lane drain": Case(line="lane drain D", args={"lane": "D"}),
    "lane open": Case(
        line="lane open D", args={"lane": "D"}, before=("!lane drain D",)
    ),
    "spec-task create": Case(
        line='spec-task create SPEC-12 --input {{"env":"prod"}}',
        args={"spec_id": "SPEC-12", "input": {"env": "prod"}},
    ),
    "spec-task list": Case(
        line="spec-task list --status PENDING",
        args={"status": "PENDING"},
        before=_MANUAL,
    ),
    "spec-task show": Case(
        line="spec-task show R-1", args={"spec_task": "R-1"}, before=_OVER
    ),
    "spec-task cancel": Case(
        line="spec-task cancel R-1 --reason late",
        args={"spec_task": "R-1", "action": "cancel", "reason": "late"},
        before=_MANUAL,
    ),
    "secret set": Case(
        line=f"secret set DEPLOY_KEY {_TOKEN}",
        args={"name": "DEPLOY_KEY", "value": _TOKEN},
    ),
    "secret list": Case(line="secret list", before=(_DEPLOY_KEY,)),
    "secret delete": Case(
        line="secret delete DEPLOY_KEY --confirm DEPLOY_KEY",
        args={
            "secret": "DEPLOY_KEY",  # pragma: allowlist secret
            "confirm": "DEPLOY_KEY",
        },
        before=(_DEPLOY_KEY,),
    ),
    "workspace add": Case(
        line=f"workspace add acme {_TOKEN}",
        args={"name": "acme", "token": _TOKEN},
    ),
    "workspace list": Case(line="workspace list", before=(_WORKSPACE,)),
    "workspace remove": Case(
        line="workspace remove acme --confirm acme",
        args={"workspace": "acme", "confirm": "acme"},
        before=(_WORKSPACE,),
    ),
    "webhook list": Case(line="webhook list", before=_HOOK),
    "webhook show": Case(
        line="webhook show W-1", args={"webhook": "W-1"}, before=_HOOK
    ),
    "webhook test": Case(
        line='webhook test W-1 --payload {{"a":1}}',
        args={"webhook": "W-1", "payload": {"a": 1}},
        before=_HOOK,
    ),
    "webhook set": Case(
        line="webhook set W-1 --command whoami",
        args={"webhook": "W-1", "command": "whoami"},
        before=_HOOK,
    ),
    "webhook deliveries": Case(
        line="webhook deliveries W-1 --outcome failed",
        args={"webhook": "W-1", "outcome": "failed"},
        setting=a_failed_post,
    ),
    "webhook inspect": Case(
        line=f"webhook inspect W-1 {DELIVERY}",
        args={"webhook": "W-1", "delivery": DELIVERY},
        setting=a_failed_post,
    ),
    "webhook listen": Case(
        line="webhook listen W-1",
        args={"webhook": "W-1"},
        setting=a_failed_post,
        random=frozenset({"since"}),
    ),
    "webhook replay": Case(
        line="webhook replay W-1 --failed",
        args={"webhook": "W-1", "failed": True},
        setting=a_failed_post,
        random=frozenset({"now"}),
    ),
    "webhook send": Case(
        line='webhook send W-1 --payload {{"a":1}}',
        args={"webhook": "W-1", "payload": {"a": 1}},
        setting=a_failed_post,
        random=frozenset({"id"}),
    ),
    "webhook rotate": Case(
        line="webhook rotate W-1 --overlap 2h",
        args={"webhook": "W-1", "overlap": "2h"},
        before=_HOOK,
        random=frozenset({"secret"}),
    ),
    "webhook delete": Case(
        line="webhook delete W-1 --confirm W-1",
        args={"webhook": "W-1", "confirm": "W-1"},
        before=_HOOK,
    ),
    "subscription create": Case(
        line=(
            "subscription create audit-log https://hooks.example.com/opswire "
            "--events task_created,status_changed --targets T-1 "
            "--filter details.lane"
        ),
        args={
            "name": "audit-log",
            "url": "https://hooks.example.com/opswire",
            "events": ["task_created", "status_changed"],
            "targets": ["T-1"],
            "filter": "details.lane",
        },
        random=frozenset({"secret"}),
    ),
    "subscription list": Case(line="subscription list", setting=a_failed_callback),
    "subscription show": Case(
        line="subscription show SB-1",
        args={"subscription": "SB-1"},
        setting=a_failed_callback,
    ),
    "subscription test": Case(
        line="subscription test SB-1",
        args={"subscription": "SB-1"},
        setting=a_failed_callback,
        random=frozenset({"delivery", "look"}),
    ),
    "subscription enable": Case(
        line="subscription enable SB-1",
        args={"subscription": "SB-1"},
        setting=a_failed_callback,
        before=("!subscription disable SB-1",),
    ),
    "subscription disable": Case(
        line="subscription disable SB-1 --reason moving",
        args={"subscription": "SB-1", "reason": "moving"},
        setting=a_failed_callback,
    ),
    "subscription rotate": Case(
        line="subscription rotate SB-1 --overlap 2h",
        args={"subscription": "SB-1", "overlap": "2h"},
        setting=a_failed_callback,
        random=frozenset({"secret"}),
    ),
    "subscription delete": Case(
        line="subscription delete SB-1 --confirm SB-1",
        args={"subscription": "SB-1", "confirm": "SB-1"},
        setting=a_failed_callback,
    ),
    "subscription deliveries": Case(
        line="subscription deliveries SB-1 --state dead",
        args={"subscription": "SB-1", "state": "dead"},
        setting=a_failed_callback,
    ),
    "subscription inspect": Case(
        line="subscription inspect SB-1 D-1",
        args={"subscription": "SB-1", "delivery": "D-1"},
        setting=a_failed_callback,
    ),
    "subscription redeliver": Case(
        line="subscription redeliver SB-1 D-1",
        args={"subscription": "SB-1", "delivery": "D-1"},
        setting=a_failed_callback,
    ),
    "schedule create": Case(
        line=(
            'schedule add "task create nightly" --cron "0 7 * * 1-5" '
            "--tz Europe/Berlin --catch-up all --overlap queue"
        ),
        args={
            "line": "task create nightly",
            "cron": "0 7 * * 1-5",
            "tz": "Europe/Berlin",
            "catch_up": "all",
            "overlap": "queue",
        },
    ),
    "schedule list": Case(line="schedule list", before=_SCHEDULE),
    "schedule show": Case(line="S-1", args={"schedule": "S-1"}, before=_SCHEDULE),
    "schedule set": Case(
        line="schedule set S-1 --every 2h --overlap allow",
        args={"schedule": "S-1", "every": "2h", "overlap": "allow"},
        before=_SCHEDULE,
    ),
    "schedule preview": Case(
        line="schedule preview S-1 --count 3",
        args={"schedule": "S-1", "count": 3},
        before=_SCHEDULE,
    ),
    "schedule ticks": Case(
        line="schedule ticks S-1",
        args={"schedule": "S-1"},
        before=(*_SCHEDULE, "!schedule run-now S-1"),
        random=frozenset({"request_id"}),
    ),
    "schedule pause": Case(
        line="schedule pause S-1 --until 2026-11-09T09:00Z --reason noisy",
        args={"schedule": "S-1", "until": "2026-11-09T09:00Z", "reason": "noisy"},
        before=_SCHEDULE,
    ),
    "schedule resume": Case(
        line="schedule resume S-1",
        args={"schedule": "S-1"},
        before=(*_SCHEDULE, "!schedule pause S-1"),
    ),
    "schedule run-now": Case(
        line="schedule run-now S-1",
        args={"schedule": "S-1"},
        before=_SCHEDULE,
        random=frozenset({"request_id"}),
    ),
    "schedule delete": Case(
        line="schedule delete S-1 --confirm S-1",
        args={"schedule": "S-1", "confirm": "S-1"},
        before=_SCHEDULE,
    ),
    "trigger create": Case(
        line=(
            "trigger create tell --on task_created,status_changed --target T-1 "
            '--filter target --command "task note" --as admin '
            '--fixed {{"task":"T-1"}} --templates {{"text":"{{target}}"}}'
        ),
        args={
            "name": "tell",
            "on": ["task_created", "status_changed"],
            "target": ["T-1"],
            "filter": "target",
            "command": "task note",
            "as": "admin",
            "fixed": {"task": "T-1"},
            "templates": {"text": "{{target}}"},
        },
    ),
    "job create": Case(
        line=(
            'job create "Release notes" --preset changelog --variants 3 '
            '--input {{"project":"Pay"}} --idempotency-key k1'
        ),
        args={
            "title": "Release notes",
            "preset": "changelog",
            "variants": 3,
            "input": {"project": "Pay"},
            "idempotency_key": "k1",
        },
    ),
    "job list": Case(
        line="job list --status queued --by ann",
        args={"status": "queued", "by": "ann"},
        before=(_JOB, _JOB),
    ),
    "job show": Case(line="J-1", args={"job": "J-1"}, setting=a_reviewed_job),
    "job cancel": Case(
        line="cancel J-1 --reason late",
        args={"job": "J-1", "reason": "late"},
        before=(_JOB,),
    ),
    "variant list": Case(
        line="variant list J-1", args={"job": "J-1"}, setting=a_reviewed_job
    ),
    "variant show": Case(line="V-1", args={"variant": "V-1"}, setting=a_reviewed_job),
    "variant set": Case(
        line='variant set V-1 --title Better --body "It is short."',
        args={"variant": "V-1", "title": "Better", "body": "It is short."},
        setting=a_reviewed_job,
    ),
    "variant accept": Case(
        line="accept V-1", args={"variant": "V-1"}, setting=a_reviewed_job
    ),
    "export create": Case(
        line="export create V-1 --format zip",
        args={"variant": "V-1", "format": "zip"},
        setting=an_accepted_variant,
        random=frozenset({"url"}),
    ),
    "export list": Case(
        line="export list --job J-1",
        args={"job": "J-1"},
        setting=an_accepted_variant,
        before=("export create V-1",),
    ),
    "export show": Case(
        line="X-1",
        args={"export": "X-1"},
        setting=an_accepted_variant,
        before=("export create V-1 --format md",),
        random=frozenset({"url"}),
    ),
    "preset create": Case(
        line="preset create weekly --like changelog --variants 1",
        args={"name": "weekly", "like": "changelog", "variants": 1},
    ),
    "preset list": Case(line="preset list", before=_PRESET),
    "preset show": Case(
        line="preset show weekly", args={"preset": "weekly"}, before=_PRESET
    ),
    "preset set": Case(
        line="preset set weekly --description Mondays --tools search-docs",
        args={
            "preset": "weekly",
            "description": "Mondays",
            "tools": ["search-docs"],
        },
        before=(*_PRESET, _TOOL),
    ),
    "preset delete": Case(
        line="preset delete weekly --confirm weekly",
        args={"preset": "weekly", "confirm": "weekly"},
        before=_PRESET,
    ),
    "tool create": Case(
        line=(
            "tool create search-docs --description Searches --kind mcp "
            '--parameters {{"type":"object"}}'
        ),
        args={
            "name": "search-docs",
            "description": "Searches",
            "kind": "mcp",
            "parameters": {"type": "object"},
        },
    ),
    "tool list": Case(line="tool list", before=(_TOOL,)),
    "tool show": Case(
        line="tool show search-docs", args={"tool": "search-docs"}, before=(_TOOL,)
    ),
    "tool set": Case(
        line="tool set search-docs --no-enabled",
        args={"tool": "search-docs", "enabled": False},
        before=(_TOOL,),
    ),
    "tool delete": Case(
        line="tool delete search-docs --confirm search-docs",
        args={"tool": "search-docs", "confirm": "search-docs"},
        before=(_TOOL,),
    ),
    "trigger list": Case(line="trigger list", before=_TRIGGER),
    "trigger show": Case(line="G-1", args={"trigger": "G-1"}, before=_TRIGGER),
    "trigger set": Case(
        line="trigger set G-1 --on task_changed --filter target",
        args={"trigger": "G-1", "on": ["task_changed"], "filter": "target"},
        before=_TRIGGER,
    ),
    "trigger enable": Case(
        line="trigger enable G-1",
        args={"trigger": "G-1"},
        before=(*_TRIGGER, "!trigger disable G-1"),
    ),
    "trigger disable": Case(
        line="trigger disable G-1 --reason noisy",
        args={"trigger": "G-1", "reason": "noisy"},
        before=_TRIGGER,
    ),
    "trigger delete": Case(
        line="trigger delete G-1 --confirm G-1",
        args={"trigger": "G-1", "confirm": "G-1"},
        before=_TRIGGER,
    ),
    "trigger test": Case(
        line='trigger test G-1 --payload {{"event":"task_created"}}',
        args={"trigger": "G-1", "payload": {"event": "task_created"}},
        before=_TRIGGER,
    ),
    "trigger fires": Case(
        line="trigger fires G-1",
        args={"trigger": "G-1"},
        setting=a_fire,
        random=frozenset({"id", "reply_id", "seq"}),
    ),
}


def without(data: Any, names: frozenset[str]) -> Any:
    """Write "random" for what no two runs share, so that the rest can be compared."""
    if isinstance(data, dict):
        return {
            name: "random" if name in names and each else without(each, names)
            for name, each in data.items()
        }
    return [without(each, names) for each in data] if isinstance(data, list) else data
