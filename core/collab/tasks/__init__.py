"""Tasks: the work items of the board, their states and their rules."""

from core.collab.tasks.fields import TaskFields
from core.collab.tasks.model import (
    TERMINAL,
    WORKING,
    DodItem,
    Note,
    Status,
    Task,
    TaskFilter,
    view,
)
from core.collab.tasks.moves import check_move, moves_from
from core.collab.tasks.service import (
    add_note,
    change,
    create,
    find_,
    find_by_key,
    get_,
    list_,
    tick_dod,
    unmet_needs,
)
from core.collab.tasks.workflow import (
    Claim,
    Move,
    approve,
    block,
    claim,
    reject,
    release,
    requeue,
    transition,
    unblock,
)

__all__ = [
    "TERMINAL", "WORKING", "Claim", "DodItem", "Move", "Note", "Status", "Task",
    "TaskFields", "TaskFilter", "add_note", "approve", "block", "change", "check_move",
    "claim", "create", "find_", "find_by_key", "get_", "list_", "moves_from", "reject",
    "release", "requeue", "tick_dod", "transition", "unblock", "unmet_needs", "view",
]
