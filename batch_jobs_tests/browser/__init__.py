"""An operator's day, by clicks in the web UI of a running installation."""
