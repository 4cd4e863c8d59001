"""Crediting and expiring in one workspace: the job without those before it, and what it left behind."""

from datetime import date

from batch_jobs.jobs.accrual_materialize import AccrualMaterialize
from batch_jobs_tests.engine.company import rows, run
from batch_jobs_tests.jobs.test_accrual_forecast import Alone as Forecast

JOB = AccrualMaterialize.name
HIRED = date(2025, 1, 1)
NEW_YEAR = date(2026, 1, 1)


class Alone(AccrualMaterialize):
    """The job without those before it."""

    after = ()


def forecasts(engine, day, workspace_id="acme"):
    run(engine, Forecast.name, [workspace_id], day, allow_future=True)


def materialize(engine, day, workspace_id="acme", **wishes):
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def counters(entries=0, employees=0, errors=0):
    return {"entries_materialized": entries, "employees_processed": employees, "errors": errors}


def movements(engine, workspace_id="acme"):
    return rows(
        engine.database,
        "SELECT date::text, credited, expired FROM projections.account_movements WHERE workspace_id = %s "
        "ORDER BY date, position",
        workspace_id,
    )


def balance(engine, who="e-1"):
    found = rows(
        engine.database,
        "SELECT credited, used, expired, planned, balance FROM projections.account_balances WHERE employee_id = %s",
        who,
    )
    return found[0] if found else None
