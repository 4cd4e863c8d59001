"""Tests of the command line: the real executable, on real databases."""
