"""The sample's front: the same bytes always, workspaces apart from each other, nothing after the last day."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from itertools import takewhile

import pytest

from batch_jobs.errors import BadInputError
from batch_jobs.sample.generator import generate
from batch_jobs.store.envelope import EventReader
from batch_jobs.store.payloads.catalog import MODELS, REGISTRY
from batch_jobs_tests.sample.histories import EMPLOYEES, histories

UNTIL = date(2026, 11, 22)

_DIGEST = """
import hashlib, json, sys
from datetime import date
from batch_jobs.sample.generator import generate
digest = hashlib.sha256()
for event in generate(workspaces=5, employees=12, seed=7, until=date(2026, 11, 22)):
    digest.update(json.dumps(event).encode())
print(digest.hexdigest())
"""


def test_another_process_makes_the_same_bytes():
    here = hashlib.sha256()
    for event in generate(workspaces=5, employees=12, seed=7, until=UNTIL):
        here.update(json.dumps(event).encode())
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    there = subprocess.run([sys.executable, "-c", _DIGEST], env=environment, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here.hexdigest()


def test_another_seed_makes_other_people():
    names = [
        [
            event["payload"]["name"]
            for event in generate(workspaces=1, employees=5, seed=seed, until=UNTIL)
            if event["type"] == "employee.defined"
        ]
        for seed in (7, 8)
    ]
    assert names[0] != names[1]


def test_a_workspace_is_the_same_however_many_there_are():
    few = list(generate(workspaces=3, employees=EMPLOYEES, seed=7, until=UNTIL))
    many = generate(workspaces=25, employees=EMPLOYEES, seed=7, until=UNTIL)
    assert few == list(takewhile(lambda event: event["workspace_id"] != "harbor-light-clinic", many))


def test_every_event_is_valid():
    reader = EventReader(REGISTRY)
    for history in histories(UNTIL).values():
        for event in history.events:
            record = reader.read(json.dumps(event, ensure_ascii=False).encode())
            assert record.employee_id == event.get("employee_id")


def test_every_type_that_a_sample_should_have_is_there():
    types = {event["type"] for history in histories(UNTIL).values() for event in history.events}
    # Nobody's demo begins with a company that is gone or has come back.
    assert {model.type for model in MODELS} - types == {"workspace.deleted", "workspace.resumed"}


def test_event_ids_are_unique_in_their_workspace():
    for history in histories(UNTIL).values():
        assert len({event["event_id"] for event in history.events}) == len(history.events)


@pytest.mark.parametrize("until", [UNTIL, date(2024, 2, 29)])
def test_events_are_in_the_order_of_time_and_end_with_the_last_day(until: date):
    for history in histories(until).values():
        instants = [datetime.fromisoformat(event["occurred_at"]) for event in history.events]
        assert instants == sorted(instants)
        days = [instant.date() for instant in instants]
        assert until - timedelta(days=410) < days[0]
        assert days[-1] <= until
    assert max(history.events[-1]["occurred_at"][:10] for history in histories(until).values()) == until.isoformat()


def test_jobs_write_at_the_start_of_their_day_where_the_company_is():
    honolulu = histories(UNTIL)["aloha-surf-supply"]
    by_jobs = [event["occurred_at"] for event in honolulu.events if event["actor"].startswith("job:")]
    assert by_jobs
    assert {instant[10:] for instant in by_jobs} == {"T00:00:00-10:00"}


def test_size_and_every_employee_counted():
    for workspace_id, history in histories(UNTIL).items():
        people = {payload["employee_id"] for payload in history.of("employee.defined")}
        assert len(people) == (0 if workspace_id == "kiezkueche-berlin" else EMPLOYEES)


@pytest.mark.parametrize("employees", [1, 2, 4])
def test_small_companies(employees: int):
    events = list(generate(workspaces=26, employees=employees, seed=1, until=UNTIL))
    assert len({event["workspace_id"] for event in events}) == 26


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"workspaces": 0}, "workspaces is 0; expected 1 or more"),
        ({"employees": -3}, "employees is -3; expected 1 or more"),
        ({"until": date(2200, 1, 1)}, "until is 2200-01-01; expected a day of the years 1970 to 2090"),
    ],
)
def test_what_can_not_be_made_is_said_at_once(changes: dict, text: str):
    arguments = {"workspaces": 1, "employees": 1, "seed": 0, "until": UNTIL, **changes}
    with pytest.raises(BadInputError, match=text):
        generate(**arguments)
