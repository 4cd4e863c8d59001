"""Who is owed entries, and since when: always the first entry of theirs that no event has materialised."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs_tests import builders
from batch_jobs_tests.accrual_events import credited, forecast
from batch_jobs_tests.projections.catching_up import rows, take_in
from batch_jobs_tests.projections.two_ways import two_ways

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(number) for number in range(4)]


def owed(database, workspace_id="acme"):
    found = rows(database, "accrual_owed", workspace_id)
    return {row["employee_id"]: (row["first_due_date"], row["is_removed"]) for row in found}


def test_until_all_is_materialised(database):
    take_in(database, forecast(DAYS[0], {DAYS[1]: 10, DAYS[2]: 20}))
    assert owed(database) == {"e-1": (DAYS[1], False)}
    take_in(database, credited(10, DAYS[1], entry_id=f"e-1:holiday:accrual:{DAYS[1]}"))
    assert owed(database) == {"e-1": (DAYS[2], False)}
    take_in(database, credited(10, DAYS[2], entry_id=f"e-1:holiday:accrual:{DAYS[2]}"))
    assert owed(database) == {}


def test_removed_and_back(database):
    take_in(database, builders.employee("e-1"), forecast(DAYS[0], {DAYS[1]: 10}), builders.removed("e-1"))
    assert owed(database) == {"e-1": (DAYS[1], True)}
    take_in(database, builders.employee("e-1", since=DAYS[1]))
    assert owed(database) == {"e-1": (DAYS[1], False)}


_day, _who = st.sampled_from(DAYS), st.sampled_from(["e-1", "e-2"])
_events = st.one_of(
    st.builds(
        lambda who, start, due: forecast(start, dict.fromkeys(due, 5), employee_id=who),
        _who,
        _day,
        st.lists(_day, unique=True),
    ),
    st.builds(lambda who, day: credited(5, day, employee_id=who, entry_id=f"{who}:holiday:accrual:{day}"), _who, _day),
    st.builds(builders.employee, _who, since=st.none() | _day),
    st.builds(builders.removed, _who),
)
_then = st.sampled_from([(), (), ("accrual_owed",), ("accrual_forecast",), ("definitions",)])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_events, _then), min_size=1, max_size=10))
def test_every_split_gives_the_first_entry_that_is_open(database, happened):
    split, whole = two_ways(database, happened, ["accrual_owed"])
    found = owed(database, whole)
    assert owed(database, split) == found
    first: dict[str, date] = {}
    for row in rows(database, "accrual_forecast", whole):
        if row["materialized_at"] is None:
            first[row["employee_id"]] = min(row["due_date"], first.get(row["employee_id"], date.max))
    assert {who: day for who, (day, _) in found.items()} == first
    gone: set[str] = set()
    for event, _ in happened:
        if event["type"].startswith("employee."):
            change = gone.add if event["type"] == "employee.removed" else gone.discard
            change(event["payload"]["employee_id"])
    assert {who for who, (_, is_removed) in found.items() if is_removed} == gone & found.keys()
