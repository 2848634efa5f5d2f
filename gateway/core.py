"""What every door shares: settings, database, rights, and the road of commands."""

from dataclasses import dataclass

from commands.registry import Registry
from core.database import Database
from core.kernel.clock import Clock
from core.secrets.links import Links
from core.secrets.vault import Vault
from gateway.aliases import TeamAliases
from gateway.auth import Authenticator
from gateway.channel_states import ChannelStates
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.settings import Settings
from gateway.signin import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What a command needs on its way, whichever door it came in by."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault
    links: Links
    auth: Authenticator
    sign_in: SignIn
    channels: ChannelStates
    aliases: TeamAliases
    registry: Registry
    pipeline: Pipeline
    metrics: Metrics
