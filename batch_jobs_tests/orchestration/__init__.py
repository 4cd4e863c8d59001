"""Tests of the Dagster floor, against real Dagster instances on a real PostgreSQL."""
