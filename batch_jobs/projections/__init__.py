"""One file a projection: its table, its version, its fold. No Dagster."""
