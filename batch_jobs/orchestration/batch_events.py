"""Events of an asset from within an op, many at once. What needs private parts of Dagster to write them is here."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    DagsterEvent,
    DagsterInstance,
    OpExecutionContext,
)
from dagster._core.definitions.metadata import normalize_metadata
from dagster._core.events import (
    AssetObservationData,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
)
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.execution.plan.objects import TypeCheckData
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

AssetEvent = AssetMaterialization | AssetObservation
OUTPUT = "result"


def report_events(context: AssetExecutionContext | OpExecutionContext, events: Sequence[AssetEvent]) -> None:
    """Record events of partitions in one write instead of one write each.

    `context.log_event` takes 13 ms an event, this less than 1 ms. May be called several times in a run, with what was
    finished since the last time.

    Args:
        context: of the op that is running.
        events: all of one kind, in the order to record.
    """
    step_context = _step_context(context)
    batch_id = str(uuid4())
    for number, event in enumerate(events, 1):
        batch = DagsterEventBatchMetadata(batch_id, is_end=number == len(events))
        if isinstance(event, AssetMaterialization):
            DagsterEvent.asset_materialization(step_context, event, batch)
        else:
            DagsterEvent.asset_observation(step_context, event, batch)


def report_runless_events(instance: DagsterInstance, events: Sequence[AssetEvent]) -> None:
    """Record events of assets that no Dagster run made, in one write.

    Args:
        instance: where.
        events: all of one kind, in the order to record.
    """
    batch_id = str(uuid4())
    for number, event in enumerate(events, 1):
        kind, data = (
            (DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event))
            if isinstance(event, AssetMaterialization)
            else (DagsterEventType.ASSET_OBSERVATION, AssetObservationData(event))
        )
        instance.report_dagster_event(
            DagsterEvent(kind.value, RUNLESS_JOB_NAME, event_specific_data=data),
            run_id=RUNLESS_RUN_ID,
            batch_metadata=DagsterEventBatchMetadata(batch_id, is_end=number == len(events)),
        )


def output_is_ready(context: AssetExecutionContext, metadata: Mapping[str, Any] | None = None) -> DagsterEvent:
    """Let the assets downstream in the same run begin: the event that the op has to yield.

    Yielding an `Output` would do so too, and record every requested partition as materialized, the failed ones also.

    Args:
        context: of the op that is running.
        metadata: what the page of the run shows with it.
    """
    step_context = _step_context(context)
    step_context.observe_output(OUTPUT)
    handle = StepOutputHandle(step_context.step.key, OUTPUT)
    # Without the type check the run's page in the UI can not show this event, nor any other of the run.
    checked = TypeCheckData(success=True, label=OUTPUT)  # type: ignore[no-untyped-call]
    output = StepOutputData(handle, checked, metadata=normalize_metadata(metadata or {}))
    return DagsterEvent.step_output_event(step_context, output)


def _step_context(context: AssetExecutionContext | OpExecutionContext) -> StepExecutionContext:
    op_context = context.op_execution_context if isinstance(context, AssetExecutionContext) else context
    return op_context._step_execution_context
