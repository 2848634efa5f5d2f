"""All settings, read once from the environment into one frozen tree."""

from pathlib import Path
from typing import Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from core.delivery.rates import parse_rate
from core.kernel.addresses import parse_allowed
from core.kernel.problems import InvalidArgument
from core.secrets.model import check_secret

BOOTSTRAP_LEAST_CHARS = 32

_DATABASES = ("sqlite", "postgresql", "postgres")


class LimitSettings(BaseModel):
    """Rates of commands."""

    model_config = ConfigDict(frozen=True)

    default: str = Field(
        default="120/minute", description="Rate for each dimension not set itself."
    )
    login: str = Field(
        default="5/minute", description="Rate of sign-in attempts per address."
    )

    @field_validator("default", "login")
    @classmethod
    def _is_rate(cls, value: str, field: ValidationInfo) -> str:
        try:
            parse_rate(value)
        except InvalidArgument as fault:
            name = f"OPSWIRE_LIMITS__{field.field_name}".upper()
            raise InvalidArgument(f"{name}: {fault.detail}", fix=fault.fix) from fault
        return value


class StreamSettings(BaseModel):
    """Answers that stay open: events and figures as they come."""

    model_config = ConfigDict(frozen=True)

    most: int = Field(
        default=2_000, description="Streams open at a time in one process."
    )
    keep_alive_seconds: float = Field(
        default=15, description="Pause between two signs of life."
    )
    lifetime_seconds: float = Field(
        default=900, description="When a stream ends, to be reopened."
    )


class KeepSettings(BaseModel):
    """How long what has ended is kept."""

    model_config = ConfigDict(frozen=True)

    inbox_days: int = Field(
        default=30, ge=1, description="Days for which answered messages are kept."
    )
    sent_days: int = Field(
        default=7, ge=1, description="Days for which deliveries that left are kept."
    )
    dead_days: int = Field(
        default=30, ge=1, description="Days for which failed deliveries are kept."
    )
    run_days: int = Field(
        default=30, ge=1, description="Days for which runs that ended are kept."
    )


class ArtifactSettings(BaseModel):
    """What runs leave behind."""

    model_config = ConfigDict(frozen=True)

    most_mb: int = Field(
        default=50, ge=1, le=1_000, description="Megabytes that one artifact may have."
    )
    run_mb: int = Field(
        default=200, ge=1, description="Megabytes that all artifacts of a run may have."
    )
    upload_minutes: int = Field(
        default=15, ge=1, le=1_440, description="How long an announced upload may take."
    )


class SlackSettings(BaseModel):
    """One Slack workspace; without a bot token there is none."""

    model_config = ConfigDict(frozen=True)

    bot_token: SecretStr = Field(
        default=SecretStr(""), description="Bot token of the app, xoxb-…."
    )
    app_token: SecretStr = Field(
        default=SecretStr(""),
        description="App-level token, xapp-…; with it Slack is reached by Socket Mode.",
    )
    signing_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signing secret of the app; with it /slack/events takes requests.",
    )
    client_id: str = Field(
        default="",
        description="Client id of the app; further workspaces consent to it.",
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Client secret that belongs to it."
    )
    api_url: str = Field(
        default="https://slack.com/api/", description="Where Slack's Web API is."
    )

    @property
    def is_set(self) -> bool:
        """Whether there is a workspace to talk to."""
        return bool(self.bot_token.get_secret_value())


class EmailSettings(BaseModel):
    """One mailbox; without an address there is none."""

    model_config = ConfigDict(frozen=True)

    address: str = Field(default="", description="Address people write to.")
    imap_url: SecretStr = Field(
        default=SecretStr(""),
        description="Where mail is read: imaps://user:password@host:993/INBOX.",
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="Where mail is sent: smtps://user:password@host:465.",
    )
    authserv_id: str = Field(
        default="",
        description="Name under which your mail server writes Authentication-Results.",
    )
    require_authentication: bool = Field(
        default=True, description="Whether a sender has to be proven; off only in labs."
    )

    @property
    def is_set(self) -> bool:
        """Whether there is a mailbox to read."""
        return bool(self.address)


class OutboundSettings(BaseModel):
    """What may be reached of where users say, such as the URLs of subscriptions."""

    model_config = ConfigDict(frozen=True)

    allow: str = Field(
        default="",
        description="Networks and hosts inside that may be reached, by http too: "
        "127.0.0.0/8,hooks.internal.",
    )

    @field_validator("allow")
    @classmethod
    def _is_list(cls, value: str) -> str:
        parse_allowed(value)
        return value


class WorkerSettings(BaseModel):
    """How runs are executed by this process."""

    model_config = ConfigDict(frozen=True)

    embedded: int = Field(
        default=2,
        ge=0,
        le=64,
        description="Runs at a time that `ops serve` executes itself; 0 for none.",
    )
    labels: str = Field(
        default="", description="Labels that this machine has: gpu,linux."
    )
    lease_seconds: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds without a heartbeat after which a run is taken away.",
    )
    grace_seconds: float = Field(
        default=5,
        ge=0,
        le=20,
        description="Seconds that a step has to end by itself before it is killed.",
    )
    folder: str = Field(
        default="",
        description="Folder for the files of runs; empty is `work` in the data folder.",
    )
    programs: str = Field(
        default="",
        description="Programs that shell steps may start: git,make; empty for any.",
    )

    @property
    def label_set(self) -> frozenset[str]:
        """The labels, one by one."""
        return frozenset(each.strip() for each in self.labels.split(",")) - {""}


class SandboxSettings(BaseModel):
    """What one step of a run may do and use."""

    model_config = ConfigDict(frozen=True)

    isolation: Literal["auto", "required", "off"] = Field(
        default="auto",
        description="Whether steps run in Linux namespaces: where possible, always "
        "(else they fail), or never.",
    )
    output_mib: float = Field(
        default=10, gt=0, description="MiB that a step may print; then it is killed."
    )
    memory_mib: int = Field(
        default=2_048,
        ge=16,
        description="MiB that the processes of a step may have in memory together.",
    )
    file_mib: int = Field(
        default=1_024, ge=1, description="MiB that one file of a step may have."
    )
    processes: int = Field(
        default=256, ge=1, description="Processes that a step may have at a time."
    )
    writable: str = Field(
        default="",
        description="Folders beside their own that steps may write to: /srv/www,/cache.",
    )
    repositories: str = Field(
        default="",
        description="Folders whose git repositories steps may read: /srv/git.",
    )
    hide: str = Field(
        default=".env,/etc/opswire,/run/user,~/.ssh,~/.gnupg,~/.aws,~/.kube,"
        "~/.docker,~/.netrc,~/.config",
        description="Files and folders that steps in namespaces do not see, beside the "
        "data folder.",
    )


class Settings(BaseSettings):
    """The gateway's settings; each from `OPSWIRE_<NAME>`, nested ones with `__`."""

    model_config = SettingsConfigDict(
        env_prefix="OPSWIRE_",
        env_file=".env",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8000, description="Port to listen on; 0 takes a free one."
    )
    data: Path = Field(
        default=Path("var"), description="Folder of everything that is written."
    )
    base_url: str = Field(default="", description="Public address used in links.")
    database_url: str = Field(
        default="",
        description="postgresql://… or sqlite:///…; empty is a file in the data folder.",
        validation_alias=AliasChoices("OPSWIRE_DATABASE_URL", "DATABASE_URL"),
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Least severe log event to write.",
        validation_alias=AliasChoices("OPSWIRE_LOG_LEVEL", "LOG_LEVEL"),
    )
    bootstrap_admin_key: SecretStr = Field(
        default=SecretStr(""),
        description="An admin key of the default tenant, at least 32 characters.",
    )
    jobs_auth: Literal["either", "both"] = Field(
        default="either",
        description=(
            "Whether commands over jobs, variants and exports take a token or a key,"
            " or want both."
        ),
        validation_alias=AliasChoices("OPSWIRE_JOBS_AUTH", "JOBS_AUTH"),
    )
    limits: LimitSettings = Field(
        default=LimitSettings(), description="Rates of commands."
    )
    streams: StreamSettings = Field(
        default=StreamSettings(), description="Answers that stay open."
    )
    keep: KeepSettings = Field(
        default=KeepSettings(), description="How long what has ended is kept."
    )
    artifacts: ArtifactSettings = Field(
        default=ArtifactSettings(), description="What runs leave behind."
    )
    workers: WorkerSettings = Field(
        default=WorkerSettings(), description="How runs are executed."
    )
    sandbox: SandboxSettings = Field(
        default=SandboxSettings(), description="What a step may do and use."
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="redis://…; with it Celery workers are told of runs.",
        validation_alias=AliasChoices("OPSWIRE_REDIS_URL", "REDIS_URL"),
    )
    celery_concurrency: int = Field(
        default=4,
        ge=1,
        le=256,
        description="Runs at a time in one Celery worker.",
        validation_alias=AliasChoices(
            "OPSWIRE_CELERY_CONCURRENCY", "CELERY_WORKER_CONCURRENCY"
        ),
    )
    body_limit_bytes: int = Field(
        default=1_048_576, description="Largest request body, in bytes."
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description="Further browser origins that may open a WebSocket.",
    )
    slack: SlackSettings = Field(
        default=SlackSettings(), description="The Slack workspace."
    )
    email: EmailSettings = Field(default=EmailSettings(), description="The mailbox.")
    outbound: OutboundSettings = Field(
        default=OutboundSettings(), description="What users may have reached."
    )
    plugins_folder: Path = Field(
        default=Path("plugins"),
        description="Folder of plugins, read again when they change.",
    )
    flags_file: Path = Field(
        default=Path("config/flags.json"),
        description="Feature flags, read again when they change.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        """Refuse what is no database of ours; the value may hold a password."""
        try:
            kind = make_url(value).get_backend_name() if value else "sqlite"
        except (ArgumentError, ValueError):
            kind = ""
        if kind in _DATABASES:
            return value
        raise InvalidArgument(
            "DATABASE_URL is neither a Postgres nor a SQLite address",
            fix=["write postgresql://user:password@host/name", "leave it out"],
        )

    @field_validator("bootstrap_admin_key")
    @classmethod
    def _is_unset_or_strong(cls, value: SecretStr) -> SecretStr:
        """Take an empty text for unset, and refuse any other that is as good as none."""
        if text := value.get_secret_value():
            name = "OPSWIRE_BOOTSTRAP_ADMIN_KEY"
            check_secret(name, text, least=BOOTSTRAP_LEAST_CHARS)
        return value

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data.absolute()}/opswire.db"

    @property
    def work_folder(self) -> Path:
        """The folder for the files of runs."""
        return Path(self.workers.folder or self.data / "work").absolute()

    @property
    def public_url(self) -> str:
        """The address that links carry."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
