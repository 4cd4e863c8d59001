"""Tests of telling people of trouble."""
