"""What a schedule asks for, and how the runs that it asked for end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultScheduleStatus,
    Definitions,
    ExecuteInProcessResult,
    RunRequest,
    build_schedule_context,
)
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from dagster._core.storage.tags import PARENT_RUN_ID_TAG
from dagster._core.utils import make_new_run_id

from batch_jobs.engine.due import DueItem
from batch_jobs.installation import open_engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.partitions import Target
from batch_jobs.orchestration.ranges import KeyRange
from batch_jobs.orchestration.run_plan import ALONE_AT_MOST, RunPlan, plan_runs
from batch_jobs_tests.orchestration.installation import FAULTY, JOB, MEND, WORKSPACES, Installation

TODAY = datetime.now(UTC).date()
WINDOW = (TODAY - timedelta(days=7), TODAY + timedelta(days=1))


def item(workspace_id: str, days_ago: int = 0, failures: int = 0) -> DueItem:
    return DueItem("job", workspace_id, TODAY - timedelta(days=days_ago), "due", failures=failures)


def plan(*due: DueItem, under_way: set[Target] = frozenset()) -> RunPlan:  # type: ignore[assignment]
    return plan_runs(due, ["a", "b", "c", "d"], under_way=under_way, dates=WINDOW)


def test_what_is_due_on_a_run_date_is_one_range_around_what_is_asked_for_already() -> None:
    assert plan(item("a"), item("b"), item("d")).ranges == [(TODAY, KeyRange("a", "d"))]
    made = plan(item("a"), item("b"), item("d"), under_way={Target("c", TODAY)})
    assert made.ranges == [(TODAY, KeyRange("a", "b")), (TODAY, KeyRange("d", "d"))]


def test_missed_run_dates_are_ranges_of_their_own_oldest_first() -> None:
    made = plan(item("a", days_ago=2), item("a", days_ago=1), item("a"))
    assert [day for day, _ in made.ranges] == [TODAY - timedelta(days=2), TODAY - timedelta(days=1), TODAY]


def test_what_failed_before_runs_alone() -> None:
    made = plan(item("a"), item("b", failures=1), item("c"))
    assert made.alone == [Target("b", TODAY)]
    assert made.ranges == [(TODAY, KeyRange("a", "a")), (TODAY, KeyRange("c", "c"))]


def test_a_flood_of_failures_is_tried_again_in_portions_and_none_is_left_out() -> None:
    names = [f"w-{number:03d}" for number in range(500)]
    for failures, portions in ((ALONE_AT_MOST, 1), (ALONE_AT_MOST + 1, 2), (136, 7), (499, ALONE_AT_MOST)):
        # The last one has not begun.
        due = [item(name, failures=1) for name in names[:failures]] + [item(names[-1])]
        made = plan_runs(due, names, under_way=set(), dates=WINDOW)
        assert made.alone == ([Target(name, TODAY) for name in names[:failures]] if portions == 1 else [])
        assert len(made.ranges) == portions
        held = [name for _, found in made.ranges for name in names if found.start <= name <= found.end]
        assert len(held) == len(set(held))
        assert {one.workspace_id for one in due} == {*held, *(target.workspace_id for target in made.alone)} & {
            one.workspace_id for one in due
        }
        assert made.notes == []


def test_who_makes_the_worker_die_takes_few_along() -> None:
    names = [f"w-{number:03d}" for number in range(500)]
    guilty, failed = "w-217", dict.fromkeys(names[100:], 1)
    for _ in range(2):
        due = [item(name, failures=times) for name, times in failed.items()]
        made = plan_runs(due, names, under_way=set(), dates=WINDOW)
        (hit,) = [found for _, found in made.ranges if found.start <= guilty <= found.end] or [KeyRange(guilty, guilty)]
        failed = {name: times + 1 for name, times in failed.items() if hit.start <= name <= hit.end}
    assert list(failed) == [guilty]


def test_what_is_not_asked_for_is_told() -> None:
    made = plan(item("a"), item("b", days_ago=8), item("new"), under_way={Target("a", TODAY)})
    assert (made.ranges, made.alone) == ([], [])
    assert made.notes == [
        "1 asked for already",
        "1 not yet a partition",
        f"1 outside of the window {WINDOW[0]} to {WINDOW[1]}",
    ]


def tick(definitions: Definitions, instance: DagsterInstance, clock: Callable[[], datetime]) -> ScheduleExecutionData:
    with open_engine(clock=clock) as engine:
        context = build_schedule_context(
            instance, repository_def=definitions.get_repository_def(), resources={"engine": engine}
        )
        schedule = definitions.resolve_schedule_def(f"{JOB}_schedule")
        return schedule.evaluate_tick(context)


def carry_out(
    definitions: Definitions, instance: DagsterInstance, request: RunRequest, *, parent: str | None = None
) -> ExecuteInProcessResult:
    """What becomes of a request, or of a run of it that is executed again."""
    again = {PARENT_RUN_ID_TAG: parent} if parent else {}
    return definitions.resolve_job_def(JOB).execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags={**request.tags, "dagster/schedule_name": f"{JOB}_schedule", **again},
        partition_key=request.partition_key,
    )


def failure_of(result: ExecuteInProcessResult) -> str:
    """What its step failed with."""
    (failed,) = result.get_step_failure_events()
    return str(failed.step_failure_data.error_display_string)


def test_a_night_of_five_workspaces_one_of_them_broken(installation: Installation) -> None:
    later = datetime.now(UTC)

    def clock() -> datetime:
        return later

    definitions = build_definitions(settings=installation.settings, clock=clock)
    with installation.instance() as instance:
        # Somebody has started a run that names no partition.
        forgetful = instance.add_run(DagsterRun(JOB, status=DagsterRunStatus.STARTED))
        asked = tick(definitions, instance, clock)
        instance.delete_run(forgetful.run_id)
        assert asked.run_requests is not None
        (request,) = asked.run_requests
        assert request.tags["dagster/asset_partition_range_start"] == f"{TODAY}|w-1"
        assert request.tags["dagster/asset_partition_range_end"] == f"{TODAY}|w-5"
        assert request.tags["run_date"] == str(TODAY)
        assert request.tags["dagster/found_due"].startswith("5 due, 0 waiting, 0 skipped")

        # The range as a whole is no failure: only one workspace is, and it is tried again alone.
        result = carry_out(definitions, instance, request)
        assert result.success
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert run.tags["status"] == "failed"
        assert installation.cells(TODAY) == {name: "MATERIALIZED" for name in WORKSPACES if name != FAULTY}

        waiting = tick(definitions, instance, clock)
        assert not waiting.run_requests
        assert waiting.skip_message is not None
        assert waiting.skip_message.startswith("0 due, 1 waiting, 4 skipped")

        later = datetime.now(UTC) + timedelta(minutes=2)
        (alone,) = tick(definitions, instance, clock).run_requests or []
        assert alone.partition_key == f"{TODAY}|{FAULTY}"
        assert not carry_out(definitions, instance, alone).success
        assert installation.cells(TODAY)[FAULTY] == "FAILED"

        installation.execute(MEND)
        later = datetime.now(UTC) + timedelta(minutes=10)
        (alone,) = tick(definitions, instance, clock).run_requests or []
        mended = carry_out(definitions, instance, alone)
        assert mended.success
        assert set(installation.cells(TODAY).values()) == {"MATERIALIZED"}

        # A person who executes a range again gets what the first run worked on, not all that lies between its ends.
        again = carry_out(definitions, instance, request, parent=mended.run_id)
        assert again.success
        run = instance.get_run_by_id(again.run_id)
        assert run is not None
        assert run.tags["status"] == "completed"
        by_hand = installation.job_runs(TODAY)
        assert {name for name, run in by_hand.items() if run.trigger == "manual"} == {FAULTY}
        # Of one that came to nothing it is what is due.
        nothing = carry_out(definitions, instance, request, parent=make_new_run_id())
        assert nothing.success
        assert installation.job_runs(TODAY) == by_hand
        # Where none of what it worked on is left, nothing else is.
        elsewhere = {**request.tags, "dagster/asset_partition_range_end": f"{TODAY}|w-1"}
        refused = carry_out(definitions, instance, RunRequest(tags=elsewhere), parent=mended.run_id)
        assert "nothing that the first run worked on has a partition any more" in failure_of(refused)
        assert installation.job_runs(TODAY) == by_hand
    runs = installation.job_runs(TODAY)
    assert {name: (run.status, run.attempt, run.trigger) for name, run in runs.items()} == {
        **dict.fromkeys(WORKSPACES, ("completed", 1, "schedule")),
        FAULTY: ("completed", 4, "manual"),
    }


def test_schedules_are_on_from_the_start(installation: Installation) -> None:
    schedule = build_definitions(settings=installation.settings).resolve_schedule_def(f"{JOB}_schedule")
    assert schedule.default_status == DefaultScheduleStatus.RUNNING
    # A minute after apply_scheduled_changes, which it waits for.
    assert schedule.cron_schedule == "1-59/5 * * * *"
