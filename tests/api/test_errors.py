"""Every refusal has a status, a code and a way out, at every door and in both forms."""

from typing import Any

import pytest

from core.kernel.problems import Problem
from gateway import problems
from tests.api.gateway import Answer, Gateway, Person

REFUSED_LINES = [
    ("", 400, "empty"),
    ("/usr/bin", 400, "not_a_command"),
    ("task crate x", 400, "unknown_command"),
    ("task create x --lan B", 400, "unknown_flag"),
    ("task create x --lane Z", 400, "invalid_argument"),
    ("task create", 400, "invalid_argument"),
    ('task create "open', 400, "invalid_argument"),
    ("task show T-9", 404, "not_found"),
    ("task list --cursor nonsense", 400, "invalid_query"),
    ("event list --cursor nonsense", 400, "invalid_query"),
    ("task list --limit 0", 400, "invalid_query"),
    ("task set T-9", 400, "invalid_argument"),
    ("confirm zzzzzz", 404, "not_found"),
    ("confirm", 400, "invalid_argument"),
    ("undo", 400, "invalid_argument"),
    ("undo rp_none", 404, "not_found"),
    ("more", 400, "invalid_argument"),
    ("last", 400, "invalid_argument"),
    ("user create ann", 403, "missing_scope"),
    ("audit verify --anchor nonsense", 400, "invalid_argument"),
    ("channel show pigeon", 404, "not_found"),
    ("unlink slack", 404, "not_found"),
    ("state show nonsense", 400, "invalid_argument"),
    ("event add NotPast", 400, "invalid_argument"),
    ("lease acquire x --ttl 0s", 400, "invalid_argument"),
]
REFUSED_CALLS: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/collab/tasks/T-9", None, 404, "not_found"),
    ("GET", "/collab/tasks/nonsense", None, 404, "not_found"),
    ("GET", "/collab/tasks?lane=Z", None, 400, "invalid_argument"),
    ("GET", "/collab/tasks?nonsense=1", None, 400, "invalid_query"),
    ("GET", "/collab/tasks?limit=1&limit=2", None, 400, "invalid_query"),
    ("GET", "/collab/state/nonsense", None, 404, "invalid_argument"),
    ("POST", "/collab/tasks", {}, 422, "invalid_argument"),
    ("POST", "/collab/tasks", {"title": 7}, 422, "invalid_argument"),
    ("POST", "/collab/tasks", {"title": "x", "nonsense": 1}, 422, "unknown_flag"),
    (
        "POST",
        "/collab/tasks",
        {"title": "x", "priority": True},
        422,
        "invalid_argument",
    ),
    ("POST", "/collab/tasks", {"title": "x", "needs": ["T-9"]}, 404, "not_found"),
    (
        "POST",
        "/collab/leases/acquire",
        {"resource": "x", "ttl_seconds": 0},
        422,
        "invalid_argument",
    ),
    (
        "POST",
        "/collab/leases/acquire",
        {"resource": "x", "ttl_seconds": -(2**63)},
        422,
        "invalid_argument",
    ),
    ("POST", "/collab/tasks/T-9/transition", {"status": "done"}, 404, "not_found"),
    ("PATCH", "/collab/tasks/T-9", {"title": "x"}, 428, "precondition_required"),
    ("POST", "/v1/users", {"name": "eve"}, 403, "missing_scope"),
    ("POST", "/v1/commands/batch", {"lines": []}, 400, "invalid_argument"),
    ("POST", "/v1/commands", {"line": "whoami", "more": 1}, 400, "unknown_flag"),
    ("POST", "/v1/commands", [], 400, "invalid_argument"),
    ("GET", "/nowhere", None, 404, "no_such_page"),
    ("DELETE", "/collab/tasks", None, 405, "method_not_allowed"),
]


def kinds(of: type[Problem] = Problem) -> list[type[Problem]]:
    return [of, *(deeper for each in of.__subclasses__() for deeper in kinds(each))]


def assert_told(answer: Answer, status: int, code: str) -> None:
    error = answer.error
    assert (answer.status, error["status"]) == (status, status), answer
    assert error["code"] == code, answer
    assert error["type"].endswith(code.replace("_", "-"))
    assert error["title"]
    assert error["detail"]
    assert error["fix"]
    assert all(isinstance(each, str) and each for each in error["fix"])
    assert "Traceback" not in answer.raw.decode()


@pytest.mark.parametrize("kind", kinds()[1:], ids=lambda kind: kind.__name__)
def test_every_problem_has_a_status_and_a_code_of_its_own(kind: type[Problem]) -> None:
    """M-AUTH-05: gateway/problems.py alone says which."""
    statuses = [
        problems.STATUS[each] for each in kind.__mro__ if each in problems.STATUS
    ]
    same = [each for each in kinds() if each.code == kind.code]

    assert statuses
    assert 400 <= statuses[0] <= 504
    assert same == [kind]
    assert kind.__doc__


def test_no_status_is_given_to_what_is_no_problem() -> None:
    assert set(problems.STATUS) <= set(kinds())


@pytest.mark.parametrize(("line", "status", "code"), REFUSED_LINES)
async def test_a_refused_line_says_what_why_and_what_to_do(
    gateway: Gateway, ann: Person, line: str, status: int, code: str
) -> None:
    answer = await ann.say(line)

    assert_told(answer, status, code)
    assert answer.body["status"] == "error"
    assert answer.body["summary"]
    told = gateway.audits()[-1]
    assert (told.actor, told.request_id) == ("ann", answer.body["request_id"])
    assert told.verdict in ("invalid", "denied", "failed")


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), REFUSED_CALLS)
async def test_a_refused_call_is_a_problem_document(
    ann: Person, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = await ann.call(method, path, body)

    assert_told(answer, status, code)
    is_reply = path.startswith("/v1/commands")
    assert answer.is_problem != is_reply
    assert answer.body["request_id"].startswith("rq_")


@pytest.mark.parametrize(
    "path", ["/collab/tasks", "/v1/me", "/v1/audit", "/v1/commands"]
)
async def test_nobody_gets_in_without_a_credential(gateway: Gateway, path: str) -> None:
    """R-58."""
    method = "POST" if path == "/v1/commands" else "GET"

    answer = await gateway.send(method, path, b"{}" if method == "POST" else None, {})

    assert_told(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_operation_refuses_nobody_with_401(gateway: Gateway) -> None:
    """R-58: OpenAPI x none."""
    refused = {}
    for command in gateway.graph.registry:
        for route in command.routes:
            path = route.path.replace("{", "").replace("}", "")
            body = None if route.method == "GET" else b"{}"
            answer = await gateway.send(route.method, path, body, {})
            refused[route.method, route.path] = answer.status

    assert len(refused) > 60
    assert set(refused.values()) == {401}
