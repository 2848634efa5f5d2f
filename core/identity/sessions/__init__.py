"""Sessions: what one sign-in began, kept alive by refresh tokens that rotate."""
