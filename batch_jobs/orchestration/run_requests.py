"""What schedules and sensors ask Dagster for, given what is due: few runs, and none for what is under way."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from dagster import DagsterInstance, MultiPartitionsDefinition, RunRequest, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, DagsterRun
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from batch_jobs.engine.contract import Job
from batch_jobs.engine.due import DueReport
from batch_jobs.orchestration.asset_keys import job_key
from batch_jobs.orchestration.history import run_date_tag
from batch_jobs.orchestration.launch import TICK_TAG
from batch_jobs.orchestration.partitions import Target, read_partition_key, window, workspace_keys
from batch_jobs.orchestration.ranges import KeyRange, keys_in
from batch_jobs.orchestration.run_plan import RunPlan, plan_runs


def requests_for(
    job: Job, report: DueReport, instance: DagsterInstance, partitions: MultiPartitionsDefinition
) -> tuple[list[RunRequest], str]:
    """The runs to ask for, and what was found in words.

    Args:
        job: that is asked for.
        report: how it stands.
        instance: where unfinished runs and workspaces are looked up.
        partitions: by run date and workspace.
    """
    workspaces = workspace_keys(instance)
    unfinished = instance.get_runs(RunsFilter(job_name=job.name, statuses=NOT_FINISHED_STATUSES))
    under_way = {target for run in unfinished for target in _asked_for(run, workspaces)}
    plan = plan_runs(report.due, workspaces, under_way=under_way, dates=window(partitions))
    summary = "; ".join([report.summary(), *plan.notes])
    # A sensor never asks for the same key twice, and a continuous job is due many times a day.
    return list(_requests(job, plan, summary, once=not job.continuous)), summary


def _requests(job: Job, plan: RunPlan, summary: str, *, once: bool) -> Iterator[RunRequest]:
    op = job_key(job.name).to_python_identifier()
    config = {"ops": {op: {"config": dict(job.scheduled)}}} if job.scheduled else {}
    for day, (first, last) in plan.ranges:
        start, end = Target(first, day).partition_key, Target(last, day).partition_key
        tags = {ASSET_PARTITION_RANGE_START_TAG: start, ASSET_PARTITION_RANGE_END_TAG: end}
        key = f"{start}...{end}" if once else None
        yield RunRequest(key, config, tags={**tags, **run_date_tag([day]), TICK_TAG: summary})
    for target in plan.alone:
        key = target.partition_key
        tags = {**run_date_tag([target.run_date]), TICK_TAG: summary}
        yield RunRequest(key if once else None, config, partition_key=key, tags=tags)


def _asked_for(run: DagsterRun, workspaces: Sequence[str]) -> Iterator[Target]:
    alone = run.tags.get(PARTITION_NAME_TAG)
    start = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, alone)
    end = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, alone)
    if start is None or end is None:
        return  # Somebody forgot to name a partition: it will be refused.
    first, last = read_partition_key(start), read_partition_key(end)
    for workspace_id in keys_in(KeyRange(first.workspace_id, last.workspace_id), workspaces):
        for days in range((last.run_date - first.run_date).days + 1):
            yield Target(workspace_id, first.run_date + timedelta(days))
