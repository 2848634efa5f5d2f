"""One small payload per known sender, for trying an endpoint without the sender.

They have the fields that the rules look at and a few around them, no more.
"""

from core.kernel.jsons import Json

ALERTS: Json = {
    "version": "4",
    "status": "firing",
    "receiver": "opswire",
    "groupLabels": {"alertname": "DiskFull"},
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "DiskFull",
                "instance": "db-1.example:9100",
                "severity": "page",
            },
            "annotations": {
                "summary": "db-1 has 4 % of its disk left",
                "description": "At this rate it is full in two hours.",
            },
            "startsAt": "2026-11-04T08:59:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://metrics.x.example/graph?expr=disk",
            "fingerprint": "5d1c0a3be7f24986",  # pragma: allowlist secret
        },
        {
            "status": "resolved",
            "labels": {"alertname": "QueueLong", "severity": "ticket"},
            "annotations": {"summary": "The mail queue holds 900 messages"},
            "startsAt": "2026-11-04T07:10:00Z",
            "endsAt": "2026-11-04T08:58:30Z",
            "generatorURL": "https://metrics.x.example/graph?expr=queue",
            "fingerprint": "a90e47d16c3b582f",  # pragma: allowlist secret
        },
    ],
}

GITHUB: Json = {
    "ref": "refs/heads/main",
    "before": "6f0c2b9d41e8a7530f6c2b9d41e8a7530f6c2b9d",  # pragma: allowlist secret
    "after": "b21d94c7e0a3f586b21d94c7e0a3f586b21d94c7",  # pragma: allowlist secret
    "deleted": False,
    "compare": "https://git.x.example/acme/shop/compare/6f0c2b9...b21d94c",
    "repository": {
        "full_name": "acme/shop",
        "default_branch": "main",
        "html_url": "https://git.x.example/acme/shop",
    },
    "pusher": {"name": "ann"},
    "head_commit": {
        "id": "b21d94c7e0a3f586b21d94c7e0a3f586b21d94c7",  # pragma: allowlist secret
        "message": "Send the receipt only once",
        "author": {"name": "Ann", "username": "ann"},
    },
    "commits": [],
}

GITLAB: Json = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "checkout_sha": "c4407f1ea95d263bc4407f1ea95d263bc4407f1e",  # pragma: allowlist secret
    "user_username": "bob",
    "project": {
        "id": 17,
        "path_with_namespace": "acme/warehouse",
        "default_branch": "main",
        "web_url": "https://lab.x.example/acme/warehouse",
    },
    "commits": [
        {
            "id": "c4407f1ea95d263bc4407f1ea95d263bc4407f1e",  # pragma: allowlist secret
            "message": "Count parcels in pairs",
            "url": "https://lab.x.example/acme/warehouse/-/commit/c4407f1e",
            "author": {"name": "Bob"},
        }
    ],
    "total_commits_count": 1,
}

STRIPE: Json = {
    "id": "evt_0001SampleOfOpswire",
    "object": "event",
    "type": "invoice.payment_failed",
    "created": 1793782800,
    "livemode": False,
    "data": {
        "object": {
            "id": "in_0001SampleOfOpswire",
            "object": "invoice",
            "customer": "cus_0001SampleOfOpswire",
            "customer_email": "bob@example.com",
            "amount_due": 4200,
            "currency": "eur",
            "hosted_invoice_url": "https://pay.x.example/in_0001",
        }
    },
}

SLACK: Json = {
    "team_id": "T0001",
    "channel_id": "C0001",
    "channel_name": "support",
    "user_id": "U0001",
    "user_name": "ann",
    "command": "/todo",
    "text": "Call the printer back",
    "trigger_id": "1793782800.0001.sample",
}
