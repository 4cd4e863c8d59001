"""Dagster's web server with a login: who asks is known, and what they may not do is refused by the server."""
