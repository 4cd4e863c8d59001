"""Event ids are UUIDv5 of their parts, the same in every process and in every other language."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.store.event_ids import deterministic_event_id

NAMESPACE = UUID("6f2d3c1e-7a51-5b6e-9d0e-2f6a4c8b9e10")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6))
def test_is_the_standard_uuid5_of_the_joined_parts(parts: list[str]) -> None:
    assert deterministic_event_id(*parts) == uuid5(NAMESPACE, "|".join(parts))


def test_a_known_id_stays_as_it_is() -> None:
    known = deterministic_event_id("acme", "timesheet_statement_generate", "e-12", "2026-11-16", "2026-11-22")
    assert str(known) == "9dcacdb3-59d0-5dc0-8264-389ea6caa5a2"


def test_the_order_of_the_parts_counts() -> None:
    assert deterministic_event_id("acme", "a", "b") != deterministic_event_id("acme", "b", "a")
