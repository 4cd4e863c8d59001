"""One file a job: its parameters, its need-check, its work, its counters. No Dagster."""
