"""Messages to users: what jobs tell them."""
