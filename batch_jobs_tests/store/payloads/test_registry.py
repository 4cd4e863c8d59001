"""Old versions become new ones step by step."""

from typing import Any

import pytest

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.catalog import REGISTRY
from batch_jobs.store.payloads.registry import Registry
from batch_jobs_tests.store.payloads.chairs import STEPS, Moved1, Moved2, Moved3


@pytest.fixture
def registry() -> Registry:
    return Registry([Moved3, Moved1, Moved2], STEPS)


def test_finds_the_model_of_each_version(registry: Registry) -> None:
    assert registry.types == ("chair.moved",)
    assert registry.versions("chair.moved") == {1: Moved1, 2: Moved2, 3: Moved3}
    assert registry.versions("table.moved") == {}
    assert registry.newest("chair.moved") == 3


@pytest.mark.parametrize(
    ("version", "fields"),
    [(1, {"chair": "c-1"}), (2, {"chair_id": "c-1"}), (3, {"chair_id": "c-1", "room_id": "hall"})],
)
def test_brings_every_version_to_the_newest(registry: Registry, version: int, fields: dict[str, Any]) -> None:
    before = dict(fields)
    assert registry.upcast("chair.moved", version, fields) == (3, {"chair_id": "c-1", "room_id": "hall"})
    assert fields == before, "the caller's payload is left alone"


def test_the_newest_version_of_the_product_stays_as_it_is() -> None:
    assert REGISTRY.upcast("time.removed", 1, {"entry_id": "t"}) == (1, {"entry_id": "t"})


@pytest.mark.parametrize(
    ("models", "steps", "reason"),
    [
        ([Moved1, Moved1], {}, "two models"),
        ([Moved1, Moved3], {}, r"versions \[1, 3\]"),
        ([Moved2], {}, r"versions \[2\]"),
        ([Moved1, Moved2], {}, r"upcasts are there for \[\]"),
        ([Moved1], STEPS, r"expected \[\]"),
    ],
)
def test_a_gap_is_an_error_of_the_programmer(models: list[type[Payload]], steps: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Registry(models, steps)
