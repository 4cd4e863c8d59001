"""What became of scheduled changes: by examples, and the same however the events come in."""

import itertools
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.projections.catching_up import Rows, catch_up_all, rows, take_in

MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)
numbers = itertools.count(1)


def scheduled(change_id: str = "c-1", effective_date: date = MARCH, **values: object) -> Event:
    return builders.event(
        "change.scheduled",
        {
            "change_id": change_id,
            "entity": "employee",
            "entity_id": "e-1",
            "effective_date": effective_date,
            "values": values or {"name": "Ada"},
        },
    )


def cancelled(change_id: str = "c-1") -> Event:
    return builders.event("change.cancelled", {"change_id": change_id})


def applied(change_id: str = "c-1") -> Event:
    return builders.event("change.applied", {"change_id": change_id})


def states(database: Database) -> dict[str, str]:
    return {row["change_id"]: row["state"] for row in rows(database, "scheduled_changes")}


def letters(database: Database, workspace_id: str = "acme") -> list[tuple[int, str]]:
    with database.worker([workspace_id]) as connection:
        return connection.execute(
            "SELECT position, reason FROM batch_jobs.dead_letters WHERE projection = 'scheduled_changes' ORDER BY 1"
        ).fetchall()


def test_a_change_keeps_what_it_wants(database: Database) -> None:
    take_in(database, builders.workspace(), scheduled(name="Ada", email=None))
    assert rows(database, "scheduled_changes") == [
        {
            "change_id": "c-1",
            "entity": "employee",
            "entity_id": "e-1",
            "effective_date": MARCH,
            "values": {"name": "Ada", "email": None},
            "position": 2,
            "state": "scheduled",
        }
    ]


def test_scheduled_again_it_is_replaced_and_takes_its_new_place(database: Database) -> None:
    take_in(database, builders.workspace(), scheduled(), scheduled("c-2"), scheduled(effective_date=MAY, name="Eva"))
    first, second = rows(database, "scheduled_changes")
    assert (first["effective_date"], first["values"], first["position"]) == (MAY, {"name": "Eva"}, 4)
    assert second["position"] == 3
    assert letters(database) == []


def test_applied_and_cancelled_changes_are_remembered(database: Database) -> None:
    take_in(database, builders.workspace(), scheduled(), scheduled("c-2"), applied(), cancelled("c-2"))
    assert states(database) == {"c-1": "applied", "c-2": "cancelled"}
    take_in(database, cancelled("c-2"), scheduled("c-2"))
    assert states(database) == {"c-1": "applied", "c-2": "scheduled"}
    assert letters(database) == []


def test_an_applied_change_can_not_happen_again(database: Database) -> None:
    take_in(database, builders.workspace(), scheduled(), applied(), scheduled(name="Eva"), cancelled(), applied())
    (one,) = rows(database, "scheduled_changes")
    assert (one["state"], one["values"]) == ("applied", {"name": "Ada"})
    reason = 'change "c-1" was applied already; schedule what is to happen now under a new change_id'
    assert letters(database) == [(4, reason), (5, reason), (6, reason)]


def test_what_contradicts_is_a_dead_letter(database: Database) -> None:
    take_in(database, builders.workspace(), cancelled("c-9"), applied("c-8"), scheduled(), cancelled(), applied())
    assert states(database) == {"c-1": "cancelled"}
    assert letters(database) == [
        (2, 'change "c-9" is not scheduled; import its change.scheduled first'),
        (3, 'change "c-8" is not scheduled; import its change.scheduled first'),
        (6, 'change "c-1" was cancelled and can not be applied; schedule it again first'),
    ]


ids = st.sampled_from(["c-1", "c-2"])
happenings = st.lists(
    st.tuples(
        st.one_of(
            st.builds(scheduled, ids, st.sampled_from([MARCH, MAY]), name=st.sampled_from(["Ada", "Eva"])),
            st.builds(cancelled, ids),
            st.builds(applied, ids),
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(happenings)
def test_every_split_gives_the_rows_of_one_catch_up(shared: Database, happened: list[tuple[Event, bool]]) -> None:
    number = next(numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    waiting: list[Event] = []
    for event, then_catch_up in happened:
        waiting.append(event)
        if then_catch_up:
            import_all(shared, *of(split, *waiting))
            catch_up_all(shared, split, names=["scheduled_changes"])
            waiting = []
    # Several workspaces at once, one of them from scratch.
    import_all(shared, *of(whole, *(event for event, _ in happened)), *of(split, *waiting))
    catch_up_all(shared, split, whole, names=["scheduled_changes"])
    assert held(shared, split) == held(shared, whole)


def held(database: Database, workspace_id: str) -> tuple[Rows, list[tuple[int, str]]]:
    return rows(database, "scheduled_changes", workspace_id), letters(database, workspace_id)
