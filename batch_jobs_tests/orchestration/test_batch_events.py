"""Many materializations at once, and assets downstream of an op that reported its own."""

import time
from collections.abc import Iterator, Sequence

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    BackfillPolicy,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    Failure,
    IntMetadataValue,
    JobDefinition,
    JobExecutionResult,
    StaticPartitionsDefinition,
    asset,
    define_asset_job,
    execute_job,
    in_process_executor,
    reconstructable,
)
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from batch_jobs.orchestration.batch_events import output_is_ready, report_events, report_runless_events

KEYS = [f"w-{number:04d}" for number in range(500)]
PARTITIONED = {
    "partitions_def": StaticPartitionsDefinition(KEYS),
    "backfill_policy": BackfillPolicy.single_run(),
    "output_required": False,
}


def materializations(asset_name: str, keys: Sequence[str]) -> list[AssetMaterialization]:
    return [
        AssetMaterialization(asset_name, partition=key, metadata={"number": number, "name": key})
        for number, key in enumerate(keys)
    ]


@asset(**PARTITIONED)
def counted(context: AssetExecutionContext) -> Iterator[DagsterEvent]:
    """Reports 50 of another asset one by one, then all of its own at once, and says how long each took."""
    began = time.monotonic()
    for key in KEYS[:50]:
        context.log_event(AssetMaterialization("other", partition=key, metadata={"number": 1}))
    between = time.monotonic()
    report_events(context, materializations("counted", KEYS))
    ended = time.monotonic()
    context.instance.add_run_tags(
        context.run.run_id, {"one_by_one": str((between - began) / 50), "batch": str((ended - between) / 500)}
    )
    yield output_is_ready(context)


@asset(**PARTITIONED)
def upstream(context: AssetExecutionContext) -> Iterator[DagsterEvent]:
    """Reports its second and fourth partition, and fails."""
    report_events(context, materializations("upstream", [KEYS[1]]))
    report_events(
        context, [AssetObservation("upstream", partition=key, metadata={"why": "it failed"}) for key in KEYS[:2]]
    )
    report_events(context, materializations("upstream", [KEYS[3]]))
    yield output_is_ready(context)
    raise Failure("the others failed")


@asset(**PARTITIONED, deps=[upstream])
def downstream(context: AssetExecutionContext) -> Iterator[DagsterEvent]:
    """Reports all of its partitions."""
    report_events(context, materializations("downstream", context.partition_keys))
    yield output_is_ready(context)


def all_of_them() -> JobDefinition:
    executor = in_process_executor.configured({"step_dependency_config": {"require_upstream_step_success": False}})
    definitions = Definitions(
        assets=[counted, upstream, downstream], jobs=[define_asset_job("all_of_them")], executor=executor
    )
    return definitions.resolve_job_def("all_of_them")


def run(instance: DagsterInstance, *names: str, end: str) -> JobExecutionResult:
    return execute_job(
        reconstructable(all_of_them),
        instance,
        asset_selection=[AssetKey(name) for name in names],
        tags={ASSET_PARTITION_RANGE_START_TAG: KEYS[0], ASSET_PARTITION_RANGE_END_TAG: end},
    )


def test_each_partition_gets_its_own_metadata_and_fast(instance: DagsterInstance) -> None:
    with run(instance, "counted", end=KEYS[-1]) as result:
        assert result.success
    numbers = {}
    for entry in instance.all_logs(result.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION):
        event = entry.get_dagster_event()
        if event.asset_key == AssetKey("counted"):
            numbers[event.partition] = event.materialization.metadata["number"]
    assert numbers == {key: IntMetadataValue(number) for number, key in enumerate(KEYS)}
    assert instance.get_materialized_partitions(AssetKey("counted")) == set(KEYS)
    finished = instance.get_run_by_id(result.run_id)
    assert finished is not None
    assert float(finished.tags["batch"]) * 4 < float(finished.tags["one_by_one"])
    # The web UI requires it: without it the page of the run shows no event at all.
    (output,) = instance.all_logs(result.run_id, of_type=DagsterEventType.STEP_OUTPUT)
    assert output.get_dagster_event().step_output_data.type_check_data.success


def test_each_event_of_a_batch_has_an_instant_of_its_own(instance: DagsterInstance) -> None:
    began = time.time()
    report_runless_events(instance, materializations("counted", KEYS))
    entries = instance.fetch_materializations(AssetKey("counted"), limit=len(KEYS), ascending=True).records
    milliseconds = [int(record.timestamp * 1000) for record in entries]
    assert sorted(set(milliseconds)) == milliseconds
    assert [entry.partition_key for entry in entries] == KEYS
    assert milliseconds[-1] <= time.time() * 1000
    assert milliseconds[0] >= began * 1000 - len(KEYS) - 1


def test_only_what_was_reported_is_materialized_and_assets_downstream_still_run(instance: DagsterInstance) -> None:
    with run(instance, "upstream", "downstream", end=KEYS[4]) as result:
        assert not result.success
    assert instance.get_materialized_partitions(AssetKey("upstream")) == {KEYS[1], KEYS[3]}
    assert instance.get_materialized_partitions(AssetKey("downstream")) == set(KEYS[:5])
    assert len(instance.all_logs(result.run_id, of_type=DagsterEventType.ASSET_OBSERVATION)) == 2


def test_events_without_a_run(instance: DagsterInstance) -> None:
    report_runless_events(instance, materializations("counted", KEYS[:3]))
    report_runless_events(instance, [])
    report_runless_events(instance, [AssetObservation("counted", partition=KEYS[3])])
    assert instance.get_materialized_partitions(AssetKey("counted")) == set(KEYS[:3])
    newest = instance.get_latest_materialization_event(AssetKey("counted"))
    assert newest is not None
    assert newest.get_dagster_event().materialization.metadata["name"].value == KEYS[2]
    assert len(instance.fetch_observations(AssetKey("counted"), limit=10).records) == 1
