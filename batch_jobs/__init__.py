"""The batch-job system of a time-tracking and HR product, as a Dagster project on PostgreSQL."""
