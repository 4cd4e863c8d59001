"""A projection as Dagster sees it: an asset whose partition means that all a workspace recorded until then is in it."""

from collections.abc import Iterator, Mapping

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    BackfillPolicy,
    DagsterEvent,
    MultiPartitionsDefinition,
    asset,
)

from batch_jobs.engine.projection import Projection
from batch_jobs.orchestration.asset_keys import projection_key
from batch_jobs.orchestration.batch_events import output_is_ready, report_events
from batch_jobs.orchestration.failures import refusals_as_failures
from batch_jobs.orchestration.history import note_end, run_date_tag
from batch_jobs.orchestration.ledger_reads import positions
from batch_jobs.orchestration.partitions import known_targets
from batch_jobs.orchestration.resources import ENGINE, engine_of


def projection_asset(
    projection: Projection, partitions: MultiPartitionsDefinition, projections: Mapping[str, Projection]
) -> AssetsDefinition:
    """The asset `projections/<name>` or `search/<name>`. Materializing it catches it up with the event log.

    Args:
        projection: the projection or search index.
        partitions: by run date and workspace.
        projections: all of them; it comes after those that it reads.
    """

    @asset(
        key=projection_key(projection),
        description=projection.description,
        kinds={"postgres"},
        metadata={"dagster/table_name": f"{projection.schema}.{projection.table.name}"},
        group_name=projection.schema,
        partitions_def=partitions,
        backfill_policy=BackfillPolicy.single_run(),
        output_required=False,
        deps=[projection_key(projections[name]) for name in projection.after],
        required_resource_keys={ENGINE},
        code_version=str(projection.version),
    )
    def compute(context: AssetExecutionContext) -> Iterator[DagsterEvent]:
        with refusals_as_failures():
            _catch_up(context, projection, partitions)
            note_end(context, otherwise="completed")
        yield output_is_ready(context)

    return compute


def _catch_up(context: AssetExecutionContext, projection: Projection, partitions: MultiPartitionsDefinition) -> None:
    engine = engine_of(context.resources)
    targets = known_targets(context.partition_keys, partitions, context.instance)
    context.instance.add_run_tags(context.run.run_id, run_date_tag({target.run_date for target in targets}))
    workspaces = sorted({target.workspace_id for target in targets})
    before = positions(engine, projection.name, workspaces)
    result = engine.catch_up([projection.name], workspaces=workspaces)
    after = positions(engine, projection.name, workspaces)
    context.log.info(
        f"{projection.name}: {result.rows_changed.get(projection.name, 0):,} rows changed in {len(workspaces):,} "
        f"workspaces, {result.dead_letters:,} dead letters"
    )
    key = projection_key(projection)
    report_events(
        context,
        [
            AssetMaterialization(
                key,
                partition=target.partition_key,
                metadata={
                    "events_applied": after[target.workspace_id].checkpoint - before[target.workspace_id].checkpoint,
                    "rows_changed": result.changes[projection.name][target.workspace_id],
                    "checkpoint": after[target.workspace_id].checkpoint,
                    "head": after[target.workspace_id].head,
                    "lag": after[target.workspace_id].head - after[target.workspace_id].checkpoint,
                },
            )
            for target in targets
        ],
    )
