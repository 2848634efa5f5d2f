"""What can be pressed below a reply, numbered the same for whoever shows and reads it."""

from core.kernel.reply import Action, Actions, Reply, ReplyStatus

_MOST_SUGGESTIONS = 3


def choices(reply: Reply) -> tuple[Action, ...]:
    """List the buttons of a reply in the order that numbers them.

    Shape:  the actions of its blocks, what needs an id to be typed, the commands that
            may have been meant, and undo. The line of each is what typing would send.
    """
    offered = [
        action
        for block in reply.blocks
        if isinstance(block, Actions)
        for action in block.items
    ]
    if line := line_to_type_for(reply):
        offered.append(Action(label="Confirm…", command=line, style="danger"))
    offered += [Action(label=each, command=each) for each in _suggested(reply)]
    if reply.undo:
        offered.append(Action(label="Undo", command=f"undo {reply.id}"))
    return tuple(offered)


def line_to_type_for(reply: Reply) -> str:
    """Return the line that runs once the id of its object is typed, "" if none waits."""
    if reply.status is not ReplyStatus.NEEDS_CONFIRMATION or reply.data.get("token"):
        return ""
    target, line = reply.data.get("target"), reply.data.get("confirm")
    if not isinstance(line, str) or not isinstance(target, str):
        return ""
    return line.rpartition(" --confirm ")[0] or line


def _suggested(reply: Reply) -> list[str]:
    """List the commands that an unknown one may have meant."""
    if reply.error is None or reply.error.code != "unknown_command":
        return []
    found = reply.error.extra.get("suggestions")
    near = found if isinstance(found, list | tuple) else ()
    return [str(each) for each in near][:_MOST_SUGGESTIONS]
