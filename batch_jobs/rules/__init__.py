"""Pure functions and values: what the business says. No I/O, no clock, no SQL."""
