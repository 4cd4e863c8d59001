"""Tests of the engine: real runs on a real PostgreSQL."""
