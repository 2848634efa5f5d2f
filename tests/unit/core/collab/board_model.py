"""What the board should do, said once more in a few plain rules."""

from dataclasses import dataclass, field

TTL = 60
WORK = ("claimed", "in_progress")
FINAL = ("done", "failed", "abandoned")
FORWARD = {
    ("claimed", "in_progress"),
    ("in_progress", "review"),
    ("review", "approved"),
    ("review", "changes_requested"),
    ("changes_requested", "in_progress"),
    ("approved", "merging"),
    ("merging", "done"),
}


@dataclass
class ModelLease:
    holder: str
    fence: int
    beat: int


@dataclass
class ModelTask:
    status: str = "queued"
    came_from: str = ""
    assignee: str = ""
    implementer: str = ""
    is_ticked: bool = False
    needs: list[str] = field(default_factory=list)


@dataclass
class Board:
    """Tasks and leases as they should be; verbs answer with the expected problem."""

    now: int = 0
    fence: int = 0
    tasks: dict[str, ModelTask] = field(default_factory=dict)
    leases: dict[str, ModelLease] = field(default_factory=dict)

    def is_live(self, task_id: str) -> bool:
        lease = self.leases.get(task_id)
        return lease is not None and self.now <= lease.beat + TTL

    def claim(self, task_id: str, by: str) -> str:
        held = self.leases.get(task_id)
        if held and self.is_live(task_id):
            if held.holder != by:
                return "lease_held"
            held.beat = self.now
            return ""
        if held:
            self.end(task_id)
        task = self.tasks[task_id]
        is_own = task.status in WORK and task.assignee == by
        if task.status != "queued" and not is_own:
            return "illegal_move"
        self.fence += 1
        self.leases[task_id] = ModelLease(by, self.fence, self.now)
        task.status = "claimed" if task.status == "queued" else task.status
        task.assignee = by
        return ""

    def move(self, task_id: str, to: str, by: str) -> str:
        task = self.tasks[task_id]
        if (task.status, to) == ("queued", "claimed"):
            return self.claim(task_id, by)
        problem = self._refusal(task, to, by)
        if problem:
            return problem
        is_work_over = task.status in WORK and to not in WORK
        is_given_back = is_work_over and to == "queued" and self.is_live(task_id)
        if is_given_back and self.leases[task_id].holder != by:
            return "lease_held"
        if is_work_over:
            self.leases.pop(task_id, None)
        self._place(task, to, by)
        return ""

    def end(self, task_id: str) -> None:
        """Take the lease away, and the task back to the queue if it was worked on."""
        del self.leases[task_id]
        task = self.tasks[task_id]
        if task.status in WORK:
            task.status, task.assignee = "queued", ""

    def release(self, task_id: str) -> None:
        task = self.tasks[task_id]
        del self.leases[task_id]
        if task.status == "claimed":
            task.status, task.assignee = "queued", ""

    def sweep(self) -> set[str]:
        stale = {each for each in self.leases if not self.is_live(each)}
        for each in stale:
            self.end(each)
        return stale

    def _refusal(self, task: ModelTask, to: str, by: str) -> str:
        is_open = task.status not in FINAL
        is_back = task.status == "blocked" and to == task.came_from
        is_step = (
            is_back
            or (is_open and to in ("failed", "abandoned"))
            or (is_open and to == "blocked" != task.status)
            or (task.status, to) in FORWARD
            or (task.status in WORK and to == "queued")
        )
        is_met = all(self.tasks[each].status == "done" for each in task.needs)
        is_complete = task.is_ticked and is_met
        if not is_step or (to in ("approved", "done") and not (is_complete or is_back)):
            return "illegal_move"
        is_own = to == "approved" and not is_back and by == task.implementer
        return "illegal_move" if is_own else ""

    def _place(self, task: ModelTask, to: str, by: str) -> None:
        is_back = task.status == "blocked"
        if to == "queued" and task.status in WORK:
            task.assignee = ""
        if to == "in_progress" and not is_back:
            task.implementer, task.assignee = by, task.assignee or by
        task.came_from = task.status if to == "blocked" else ""
        task.status = to
