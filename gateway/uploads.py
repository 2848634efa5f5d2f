"""Where contents of artifacts come in: by signed links, within the limits that are set."""

from datetime import timedelta

from core.kernel.principal import TenantId
from core.runs.artifacts.model import UPLOAD, Artifact, Limits, Uploads
from core.secrets.links import Link, Links
from gateway.http.artifacts import UPLOAD_PATH
from gateway.settings import Settings

_MB = 1_000_000


def uploads_of(settings: Settings, links: Links) -> Uploads:
    """Say how much may come, and sign the links that it comes by."""

    def url_of(tenant: TenantId, artifact: Artifact) -> str:
        assert artifact.upload_until is not None
        token = links.sign(
            Link(
                kind=UPLOAD,
                tenant=tenant,
                subject=artifact.id,
                until=artifact.upload_until,
            )
        )
        return settings.public_url + UPLOAD_PATH.format(token=token)

    return Uploads(limits=limits_of(settings), url_of=url_of)


def limits_of(settings: Settings) -> Limits:
    """Read how much of artifacts is kept."""
    given = settings.artifacts
    return Limits(
        each_bytes=given.most_mb * _MB,
        total_bytes=given.run_mb * _MB,
        upload_within=timedelta(minutes=given.upload_minutes),
    )
