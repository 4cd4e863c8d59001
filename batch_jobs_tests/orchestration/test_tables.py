"""Tables that fit the web UI."""

from batch_jobs.orchestration.tables import plan_row


def test_an_event_of_a_plan_is_told_in_one_column_beside_whom_it_concerns() -> None:
    row = {
        "payload": {"employee_id": "e-1", "terms_id": "t-1", "period_end": "2026-12-27"},
        "occurred_at": "2026-12-14T01:00:00+01:00",
        "employee_id": "e-1",
        "type": "statement.period_started",
        "targets": [],
    }
    shown = plan_row(row)
    assert list(shown) == ["employee_id", "targets", "event"]
    assert shown["event"] == "statement.period_started: terms_id t-1, period_end 2026-12-27"
    assert row["payload"]["employee_id"] == "e-1", "the ledger's own row stays"


def test_a_row_that_a_rebuild_would_change_is_told_by_its_columns() -> None:
    row = {"after": {"name": "B"}, "before": {"name": "A"}, "key": {"id": "e-1"}, "change": "changed", "table": "t"}
    assert list(plan_row(row)) == ["table", "change", "key", "before", "after"]
