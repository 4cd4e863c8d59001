"""How any job runs and any projection keeps up: contracts, due-ness, chunks, ledger, leases, dry run. No job, no Dagster."""
