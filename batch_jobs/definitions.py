"""The front door for Dagster: what `workspace.yaml` and native commands load."""

from batch_jobs.orchestration.build import build_definitions

defs = build_definitions()
