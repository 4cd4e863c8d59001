"""PostgreSQL: server, connections and scope, migrations, the event log and its payloads, import and export. No business rule."""
