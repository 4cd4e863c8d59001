"""Who may sign in to the web UI and as what: users, passwords, sessions. Knows nothing of web servers and Dagster."""
