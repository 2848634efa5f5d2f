"""What Slack refuses: limits of texts and blocks, by slack_sdk's own validators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from channels.testing.slack.workspace import FakeWorkspace, Payload

TEXT_LIMIT = 40_000
MESSAGE_LIMIT = 13_200
BLOCKS_LIMIT = 50
VIEW_BLOCKS_LIMIT = 100


class Refused(Exception):
    """A call that answers `ok: false`; `facts` stand beside its error."""

    def __init__(self, error: str, **facts: str) -> None:
        super().__init__(error)
        self.error = error
        self.facts = facts


def check_message(
    workspace: FakeWorkspace, text: str, blocks: Sequence[Payload]
) -> None:
    """Refuse a message that Slack would not show whole.

    Raises: Refused.
    """
    if not text and not blocks:
        raise Refused("no_text")
    if len(text) > TEXT_LIMIT:
        raise Refused("msg_too_long")
    if len(blocks) > BLOCKS_LIMIT:
        raise Refused("invalid_blocks", detail=f"more than {BLOCKS_LIMIT} blocks")
    if sum(map(len, texts_in(blocks))) > MESSAGE_LIMIT:
        raise Refused("msg_blocks_too_long")
    check_blocks(workspace, blocks)


def check_view(workspace: FakeWorkspace, view: Mapping[str, Any]) -> None:
    """Refuse a window or home page that Slack would not open.

    Raises: Refused.
    """
    blocks = view.get("blocks") or []
    if not 0 < len(blocks) <= VIEW_BLOCKS_LIMIT:
        raise Refused("invalid_arguments", detail="1 to 100 blocks")
    check_blocks(workspace, blocks)
    try:
        View(**view).validate_json()
    except (SlackObjectFormationError, TypeError) as fault:
        raise Refused("invalid_arguments", detail=str(fault)) from fault


def check_blocks(workspace: FakeWorkspace, blocks: Sequence[Payload]) -> None:
    """Refuse blocks that are malformed, repeated by id, or too new for a workspace.

    Raises: Refused.
    """
    ids = [each["block_id"] for each in blocks if "block_id" in each]
    if len(ids) != len(set(ids)):
        raise Refused("invalid_blocks", detail="a block_id twice")
    for block in blocks:
        kind = block.get("type")
        if kind in workspace.refused_blocks:
            raise Refused("invalid_blocks", detail=f"unsupported type: {kind}")
        try:
            parsed = Block.parse(block)
            if parsed is None:
                raise Refused("invalid_blocks", detail=f"unsupported type: {kind}")
            parsed.to_dict()
        except (SlackObjectFormationError, TypeError, AttributeError) as fault:
            raise Refused("invalid_blocks", detail=str(fault)) from fault


def texts_in(node: object) -> Iterable[str]:
    """Yield every text that a person reads in blocks."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts_in(value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for each in node:
            yield from texts_in(each)
