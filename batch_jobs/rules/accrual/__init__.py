"""What time-off policies earn and when it expires (domain 3.5): one file a plan, one for what they share."""
