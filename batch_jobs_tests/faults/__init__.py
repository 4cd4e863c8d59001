"""Nights as real processes, disturbed at random moments from a seed, against the same night undisturbed."""
