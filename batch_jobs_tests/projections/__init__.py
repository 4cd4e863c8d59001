"""Tests of the projections: their rows against the rules, however the events came in."""
