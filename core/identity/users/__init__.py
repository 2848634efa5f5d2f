"""Users: the people of a tenant, with roles and perhaps a password."""
