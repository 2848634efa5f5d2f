"""All identity tables in one place, for whoever creates or migrates them."""

from core.identity.keys.tables import api_keys
from core.identity.links.tables import channel_identities, link_attempts, link_codes
from core.identity.logins.tables import login_links
from core.identity.sessions.tables import sessions
from core.identity.tenants.tables import tenants
from core.identity.users.tables import users

TABLES = (
    tenants,
    users,
    api_keys,
    sessions,
    channel_identities,
    link_codes,
    link_attempts,
    login_links,
)
