"""What `ops` does itself, on the machine where it is run."""

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "serve": "run a gateway on this machine",
    "worker": "execute the runs of a gateway on this machine",
    "migrate": "bring the database to this version's schema",
    "doctor": "check this machine, the database and the gateway",
    "backup": "copy the database while it is in use",
    "shell": "talk to a gateway with completion and history",
    "login": "sign in with a link or a password",
    "logout": "sign out and forget the session",
    "tail": "follow events as they happen",
    "seed": "post the backlog as tasks",
    "export": "write what another system needs: slack-manifest",
    "plugin": "write a plugin and run its tests: new, test",
    "collab": "compare, write and import the collaboration files",
    "version": "print the version",
    "docs": "write the reference pages from the code",
    "completion": "print the completion script of a shell",
}
