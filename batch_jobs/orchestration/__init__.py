"""All that knows Dagster: partitions, assets, jobs, schedules, sensors, storage, history. No business rule."""
