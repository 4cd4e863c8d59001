"""Tests of messages to users."""
