"""How any job runs and any projection keeps up: due-ness, chunks, ledger, leases. No job, no Dagster."""
