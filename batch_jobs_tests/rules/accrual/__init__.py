"""Tests of what policies earn."""
