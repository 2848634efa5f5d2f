"""`ops export`: the manifest on paper, and what stays the gateway's."""

import json

import yaml

from channels.slack.manifest import build_manifest
from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply


def test_manifest_is_written_as_yaml_and_as_json(ops: Console) -> None:
    assert ops.run("export", "slack-manifest") == 0
    as_yaml = yaml.safe_load(ops.out)

    assert ops.run("export", "slack-manifest", "-o", "json") == 0
    as_json = json.loads(ops.out)

    assert as_yaml == as_json == build_manifest()


def test_manifest_for_http_names_our_address(ops: Console) -> None:
    assert ops.run("export", "slack-manifest", "--url", "https://ops.example.org") == 0

    assert yaml.safe_load(ops.out) == build_manifest(url="https://ops.example.org")


def test_slack_comes_over_https_only(ops: Console) -> None:
    assert ops.run("export", "slack-manifest", "--url", "http://ops.example.org") == 2
    assert "https" in ops.err


def test_other_exports_are_the_gateways(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply("X-9 ready"))

    assert ops.run("export", "create", "V-71") == 0

    assert stub.requests[0].line == "export create V-71"
