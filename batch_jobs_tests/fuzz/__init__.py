"""Searching for inputs that end in anything but what was asked for or one clear refusal."""
