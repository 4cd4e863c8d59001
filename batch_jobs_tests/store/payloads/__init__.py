"""Tests of the payload models."""
