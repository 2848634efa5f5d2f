"""How workers hand in what a run left behind: inside the command, or by an upload."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import Annotated, Literal

from commands.artifact_views import ArtifactPutData
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.kernel.clock import to_iso
from core.kernel.problems import InvalidArgument, TooLarge
from core.kernel.reply import Reply
from core.runs import calls
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import INLINE_BYTES, Artifact, ArtifactKind, Uploads

Encoding = Literal["text", "base64"]


class _Putting:
    """The handler that hands out addresses, and so needs to sign them."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def put(
        self,
        ctx: Context,
        run_id: Annotated[str, Ref("R"), Doc("The run that the worker holds.")],
        *,
        fence: Annotated[int, Doc("The fence of its claim.")],
        name: Annotated[str, Doc("A file's name, without a path.")],
        kind: Annotated[
            ArtifactKind, Doc("What it is; file finds it out.")
        ] = ArtifactKind.FILE,
        content: Annotated[
            str | None, Doc("All of it, up to 64 KiB; else say size and sha256.")
        ] = None,
        encoding: Annotated[Encoding, Doc("How content is written.")] = "text",
        size: Annotated[int, Doc("Bytes of a content that is uploaded.")] = 0,
        sha256: Annotated[str, Doc("Its digest, in lower-case hexadecimal.")] = "",
        partial: Annotated[bool, Doc("Its step did not succeed.")] = False,
    ) -> Reply:
        """Keep a file of a run: small ones at once, large ones by the upload_url."""
        run = calls.require_held(ctx.tx, run_id, fence)
        if content is None:
            artifact = artifacts.begin(
                ctx.tx,
                subject=run.id,
                name=name,
                kind=kind,
                size_bytes=size,
                sha256=sha256,
                attempt=run.attempt,
                is_partial=partial,
                limits=self._uploads.limits,
            )
        else:
            artifact = artifacts.put(
                ctx.tx,
                subject=run.id,
                name=name,
                kind=kind,
                content=_decoded(content, encoding),
                attempt=run.attempt,
                is_partial=partial,
                limits=self._uploads.limits,
            )
        return self._put(ctx, artifact)

    def _put(self, ctx: Context, artifact: Artifact) -> Reply:
        until = artifact.upload_until
        url = "" if until is None else self._uploads.url_of(ctx.tx.tenant, artifact)
        data = {
            **artifacts.view(artifact),
            "upload_url": url,
            "upload_until": to_iso(until) if until else "",
        }
        what = f"Upload {artifact.name} now" if url else f"Kept {artifact.name}"
        return Reply(summary=f"{what} as {artifact.id}"[:150], data=data)


def artifact_commands(uploads: Uploads) -> Sequence[Command]:
    """List the command that keeps files; `uploads` says where large ones come in."""
    return (
        command(
            "artifact put",
            scope="runs:work",
            danger="write",
            http="POST /artifacts.put",
            target="run_id",
            result=ArtifactPutData,
            examples=['artifact put R-7 --fence 3 --name plan.md --content "# Plan"'],
        )(_Putting(uploads).put),
    )


def _decoded(content: str, encoding: Encoding) -> bytes:
    """Read an inline content.

    Raises: InvalidArgument for what is no base64, TooLarge.
    """
    try:
        raw = (
            content.encode()
            if encoding == "text"
            else b64decode(content, validate=True)
        )
    except (binascii.Error, ValueError) as fault:
        raise InvalidArgument(
            f"content is no {encoding}", fix=["--encoding base64"], field="content"
        ) from fault
    if len(raw) > INLINE_BYTES:
        raise TooLarge(
            f"{len(raw)} bytes are too many to be sent inside the command",
            fix=["leave content out, say size and sha256, and use the upload_url"],
            limit_bytes=INLINE_BYTES,
        )
    return raw
