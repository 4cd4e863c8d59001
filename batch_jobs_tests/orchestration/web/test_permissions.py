"""What each role may do, by every way in which an operation can reach the server; and whether Dagster has new ones."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from dagster._core.workspace.permissions import Permissions
from dagster_graphql.schema import create_schema

from batch_jobs.access.roles import ROLES, may
from batch_jobs.orchestration.web.permissions import MUTATIONS
from batch_jobs_tests.orchestration.services import REPOSITORY
from batch_jobs_tests.orchestration.web.browser import Answer, Browser
from batch_jobs_tests.orchestration.web.served import Served

SCHEDULE = "accrual_forecast_schedule"
SELECTOR = {**REPOSITORY, "scheduleName": SCHEDULE}
STATE = """
    query ($selector: ScheduleSelector!) {
        scheduleOrError(scheduleSelector: $selector) {... on Schedule {id scheduleState {status}}}
    }
"""
FIELD = (
    f'startSchedule(scheduleSelector: {{repositoryName: "{REPOSITORY["repositoryName"]}", repositoryLocationName: '
    f'"{REPOSITORY["repositoryLocationName"]}", scheduleName: "{SCHEDULE}"}}) {{__typename}}'
)
START = f"mutation {{{FIELD}}}"
URL = f"/graphql?query={quote(START)}"
JSON = json.dumps({"query": START})
TWO = f"query A {{version}} mutation B {{{FIELD}}}"


@pytest.fixture(scope="module")
def browsers(served: Served) -> dict[str, Browser]:
    """A browser of each role; the schedule is off, so that it is seen when somebody starts it."""
    opened = {role: served.browser(role) for role in ROLES}
    found = opened["viewer"].ask(STATE, selector=SELECTOR)["scheduleOrError"]
    opened["admin"].ask("mutation ($id: String!) {stopRunningSchedule(id: $id) {__typename}}", id=found["id"])
    assert status(opened["viewer"]) == "STOPPED"
    return opened


def status(browser: Browser) -> str:
    found = browser.ask(STATE, selector=SELECTOR)["scheduleOrError"]
    return str(found["scheduleState"]["status"])


def test_every_mutation_of_dagster_has_a_role() -> None:
    mutations = create_schema().graphql_schema.mutation_type
    assert mutations is not None
    assert set(mutations.fields) == set(MUTATIONS), "a new Dagster: say in MUTATIONS who may do what is new"


def test_schedules_and_sensors_are_toggled_and_sensors_tried_by_admins_alone() -> None:
    kept = {name for name in MUTATIONS if "chedule" in name or "ensor" in name} - {"scheduleDryRun"}
    assert len(kept) == 8
    assert {MUTATIONS[name] for name in kept} == {"admin"}
    launches = {name for name in MUTATIONS if name.startswith(("launch", "terminate", "reexecute", "cancel"))}
    assert len(launches) == 11
    assert {MUTATIONS[name] for name in launches} == {"operator"}


def test_each_role_is_told_what_it_may(browsers: dict[str, Browser]) -> None:
    question = "{permissions {permission value disabledReason}}"
    allowed = {}
    for role, browser in browsers.items():
        found = browser.ask(question)["permissions"]
        assert {one["permission"] for one in found} == {str(one) for one in Permissions}
        allowed[role] = {one["permission"] for one in found if one["value"]}
    assert allowed["viewer"] == set()
    assert allowed["operator"] == {
        "launch_pipeline_execution",
        "launch_pipeline_reexecution",
        "launch_partition_backfill",
        "cancel_partition_backfill",
        "terminate_pipeline_execution",
        "schedule_dry_run",
    }
    # Dagster itself lets nobody do it: it is a part of its paid product.
    assert allowed["admin"] == {str(one) for one in Permissions} - {"edit_app_managed_components"}


def test_each_mutation_is_refused_below_its_role(browsers: dict[str, Browser]) -> None:
    for name, least in MUTATIONS.items():
        for role, browser in browsers.items():
            # Without its arguments and fields it is not carried out, and refused for that reason alone.
            said = browser.post(f"mutation {{{name}}}").text
            assert (f"{name} needs the role {least}" in said) is not may(role, least), (name, role, said)


WAYS: dict[str, Callable[[Browser], Answer]] = {
    "plain": lambda browser: browser.post(START),
    "alias": lambda browser: browser.post(f"mutation {{logTelemetry: {FIELD}}}"),
    "fragment": lambda browser: browser.post(f"mutation {{...Start}} fragment Start on Mutation {{{FIELD}}}"),
    "inline": lambda browser: browser.post(f"mutation {{... on Mutation {{... {{{FIELD}}}}}}}"),
    "beside": lambda browser: browser.post(f"mutation {{setNuxSeen {FIELD}}}"),
    "named": lambda browser: send(browser, {"query": TWO, "operationName": "B"}),
    "not named": lambda browser: send(browser, {"query": TWO, "operationName": "A"}),
    "batch": lambda browser: send(browser, [{"query": START}]),
    "twice": lambda browser: browser.request(
        "POST", "/graphql", f'{{"query": "{{version}}", {JSON[1:]}', Content_Type="application/json"
    ),
    "graphql": lambda browser: browser.request("POST", "/graphql", START, Content_Type="application/graphql"),
    "get": lambda browser: browser.request("GET", URL),
    "get of a page": lambda browser: browser.request("GET", URL, Accept="text/html"),
    "head": lambda browser: browser.request("HEAD", URL),
    "url": lambda browser: browser.request("POST", URL, '{"query": "{version}"}', Content_Type="text/plain"),
    "url and json": lambda browser: browser.request("POST", URL, JSON, Content_Type="application/json"),
    "slash": lambda browser: browser.request("POST", "/graphql/", JSON, Content_Type="application/json"),
    "slashes": lambda browser: browser.request("POST", "//graphql", JSON, Content_Type="application/json"),
}


def send(browser: Browser, value: Any) -> Answer:
    return browser.request("POST", "/graphql", json.dumps(value), Content_Type="application/json")


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("way", list(WAYS))
def test_a_schedule_is_not_started_whichever_way_it_is_tried(browsers: dict[str, Browser], way: str, role: str) -> None:
    said = WAYS[way](browsers[role])
    assert "ScheduleStateResult" not in said.text
    assert status(browsers["viewer"]) == "STOPPED", said


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
@pytest.mark.parametrize("kind", ["mutation", "subscription"])
def test_no_mutation_passes_by_websocket(browsers: dict[str, Browser], role: str, kind: str) -> None:
    query = START if kind == "mutation" else f"subscription A {{__typename}} {START}"
    with browsers[role].websocket() as websocket:
        websocket.send('{"type": "connection_init"}')
        websocket.recv(10)
        websocket.send(json.dumps({"id": "1", "type": "start", "payload": {"query": query, "operation_name": "A"}}))
        said = str(websocket.recv(10))
    assert '"type":"error"' in said or '"errors"' in said, said
    assert "ScheduleStateResult" not in said
    assert status(browsers["viewer"]) == "STOPPED"


def test_logs_of_runs_come_by_websocket(browsers: dict[str, Browser]) -> None:
    with browsers["viewer"].websocket() as websocket:
        websocket.send('{"type": "connection_init"}')
        websocket.recv(10)
        query = 'subscription {pipelineRunLogs(runId: "none") {__typename}}'
        websocket.send(json.dumps({"id": "1", "type": "start", "payload": {"query": query}}))
        assert "PipelineRunLogsSubscriptionFailure" in str(websocket.recv(10))


def test_events_are_reported_by_admins_alone(browsers: dict[str, Browser]) -> None:
    for role in ("viewer", "operator"):
        for kind in ("materialization", "observation", "check"):
            refused = browsers[role].request("POST", f"/report_asset_{kind}/jobs/accrual_forecast")
            assert (refused.status, "needs the role admin" in refused.text) == (403, True), (role, kind)
    reported = browsers["admin"].request("POST", "/report_asset_materialization/projections/absences")
    assert reported.status == 200, reported


def test_an_admin_toggles_a_schedule(browsers: dict[str, Browser]) -> None:
    assert browsers["admin"].ask(START)["startSchedule"]["__typename"] == "ScheduleStateResult"
    assert status(browsers["viewer"]) == "RUNNING"
