"""Tests of the search indexes: what is found, in which order, and that it follows the events."""
