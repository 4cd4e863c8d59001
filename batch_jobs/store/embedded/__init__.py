"""The embedded PostgreSQL server: its data folder, its life time, its processes. No SQL of the application."""

from batch_jobs.store.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer"]
