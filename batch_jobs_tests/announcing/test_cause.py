"""What two workspaces have in common is found in their error texts; a storm of reasons is one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.announcing.cause import MANY, MOST_REASONS, Cause, Seen, folded, reason_of, together
from batch_jobs_tests.engine.company import NOON


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("worker lost", "worker lost"),
        ("KeyError: 'e-12'", "KeyError: …"),
        ('terms "t-9" of employment e-1/2 are not defined', "terms … of employment … are not defined"),
        (
            "UniqueViolation: duplicate key DETAIL: Key (workspace_id, n)=(acme, 7) already exists.",
            "UniqueViolation: duplicate key DETAIL: Key … already exists.",
        ),
        ("workspace acme is suspended", "workspace … is suspended"),
        ("acme-west is not acme", "acme-west is not …"),
        ("no statement from 2026-01-01 to 2026-01-31", "no statement from … to …"),
        ("lost 5b0c1f62-0d5a-4e57-8c1b-4a7f3e2d1c00", "lost …"),
        ("", "without a text"),
        ("x" * 5_000, "x" * 200),
    ],
)
def test_examples(text: str, reason: str) -> None:
    assert reason_of(text, "acme") == reason


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True), st.uuids(), st.integers(), st.dates())
def test_ids_numbers_and_days_make_no_other_cause(workspace_id: str, one: object, number: int, day: object) -> None:
    text = 'workspace {0}: entry {1} of "{0} Ltd" has {2} hours on {3}; Key (id)=({0}) exists'
    found = reason_of(text.format(workspace_id, one, number, day), workspace_id)
    assert found == reason_of(text.format("acme", "e-1", 2, "2026-01-01"), "acme")


def seen(reason: str, workspace_id: str = "acme", job: str = "a") -> Seen:
    return Seen(Cause(job, "failed", reason), (workspace_id,), NOON, 1, f"{reason} in {workspace_id}")


def test_the_first_text_is_told_and_each_workspace_counted_once() -> None:
    late = Seen(Cause("a", "failed", "x"), ("acme",), NOON + timedelta(hours=1), 1, "later")
    (found,) = together([late, seen("x", "zeta"), seen("x", "acme")])
    assert found == Seen(Cause("a", "failed", "x"), ("acme", "zeta"), NOON, 2, "x in acme")


def test_a_storm_of_reasons_is_one_cause_and_what_is_known_stays() -> None:
    storm = [seen(f"reason {chr(97 + number)}", f"w-{number}") for number in range(20)]
    (one,) = folded(storm, [])
    assert one.cause == Cause("a", "failed", MANY)
    assert len(one.workspaces) == one.size == 20
    known = [storm[0].cause, Cause("a", "failed", MANY)]
    assert [found.cause.reason for found in folded(storm, known)] == [MANY, "reason a"]
    # As long as it lasts, what is new is a part of it; afterwards not.
    assert [found.cause.reason for found in folded(storm[1:2], known)] == [MANY]
    assert [found.cause.reason for found in folded(storm[1:2], [])] == ["reason b"]


_SEEN = st.builds(seen, st.sampled_from("abcdefghijkl"), st.sampled_from("pq"), st.sampled_from("ab"))


@given(st.lists(_SEEN), st.lists(st.builds(Cause, st.sampled_from("ab"), st.just("failed"), st.just(MANY)), max_size=2))
def test_nothing_is_lost_and_little_is_new(found: list[Seen], known: list[Cause]) -> None:
    causes = together(found)
    folds = folded(causes, known)
    assert {(one.cause.job, name) for one in causes for name in one.workspaces} == {
        (one.cause.job, name) for one in folds for name in one.workspaces
    }
    assert len({one.cause for one in folds}) == len(folds)
    for job in "ab":
        assert len([one for one in folds if one.cause.job == job]) <= MOST_REASONS
