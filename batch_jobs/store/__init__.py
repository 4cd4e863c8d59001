"""PostgreSQL: server, scope, migrations, the event log with its payloads, import, export. No rule."""
