"""Telling people of jobs that fail, warn or do not run: one message for a cause, and one when it is mended."""
