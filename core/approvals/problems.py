"""Why an approval cannot be given, or is needed first."""

from core.kernel.problems import Conflict, Forbidden


class NoApprover(Forbidden):
    """The caller is not one of the people who may decide this approval."""

    code = "no_approver"
    title = "You may not decide this"


class SelfApproval(NoApprover):
    """Who asked cannot approve, by whichever account, key or channel."""

    code = "self_approval"
    title = "Somebody else has to approve this"


class NeedsApproval(Conflict):
    """An approval was asked for; the command runs by itself once it is given."""

    code = "approval_required"
    title = "Other people have to approve this"


class ApprovalVoid(Conflict):
    """What the command is about has changed since approval was asked for."""

    code = "approval_void"
    title = "The approval is void"
