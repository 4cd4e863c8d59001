"""Asset checks of projections and search indexes: in step, built by this code, no dead letters. They only warn."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    multi_asset_check,
)

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.projection import Projection
from batch_jobs.orchestration.asset_keys import projection_key
from batch_jobs.orchestration.checks import warning
from batch_jobs.orchestration.history import note_end
from batch_jobs.orchestration.resources import ENGINE, engine_of

IN_STEP = "in_step_with_the_event_log"
THIS_VERSION = "built_by_this_version_of_the_code"
NO_DEAD_LETTERS = "no_dead_letters"
CHECKS: Mapping[str, str] = {
    IN_STEP: "Every workspace's events, up to the last one, are in the rows. Behind: materialize it, or run any job.",
    THIS_VERSION: "No row was made by another version of the code. Otherwise: run recover_failed_migration.",
    NO_DEAD_LETTERS: "Every event could be applied. Those that could not are in batch_jobs.dead_letters, with reasons.",
}

# One look over all workspaces and projections: what is well is not even returned, nor what a purge will take anyway.
_LOOK = """
    SELECT p.projection,
        array_agg(w.workspace_id ORDER BY w.workspace_id) FILTER (
            WHERE coalesce(c.position, 0) < w.head OR (p.follows_as_of AND c.as_of < w.last_run_date)) AS behind,
        array_agg(w.workspace_id ORDER BY w.workspace_id) FILTER (
            WHERE c.version <> p.version AND w.status <> 'deleted') AS stale,
        array_agg(w.workspace_id ORDER BY w.workspace_id) FILTER (
            WHERE d.letters > 0 AND w.status <> 'deleted') AS dead,
        coalesce(sum(d.letters) FILTER (WHERE w.status <> 'deleted'), 0)::bigint
    FROM batch_jobs.workspaces w
    CROSS JOIN unnest(%s::text[], %s::int[], %s::boolean[]) AS p(projection, version, follows_as_of)
    LEFT JOIN batch_jobs.checkpoints c ON c.projection = p.projection AND c.workspace_id = w.workspace_id
    LEFT JOIN (
        SELECT workspace_id, projection, count(*) AS letters FROM batch_jobs.dead_letters GROUP BY 1, 2
    ) d ON d.projection = p.projection AND d.workspace_id = w.workspace_id
    WHERE w.head > 0
    GROUP BY p.projection
"""


class _State(NamedTuple):
    """Workspaces in which something is not well."""

    behind: Sequence[str] = ()
    stale: Sequence[str] = ()
    dead: Sequence[str] = ()
    letters: int = 0


def projection_checks(projections: Mapping[str, Projection]) -> AssetChecksDefinition:
    """The checks of all projections, found out together."""
    specs = [
        AssetCheckSpec(name, asset=projection_key(projection), description=description, blocking=False)
        for projection in projections.values()
        for name, description in CHECKS.items()
    ]

    @multi_asset_check(
        name="projection_checks",
        description="Looks whether projections and search indexes are in step with the event log, built by this "
        "version of the code, and without dead letters.",
        specs=specs,
        can_subset=True,
        required_resource_keys={ENGINE},
    )
    def check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        states = look(engine_of(context.resources), projections)
        for projection in projections.values():
            for result in _results(projection, states.get(projection.name, _State())):
                if (
                    AssetCheckKey(projection_key(projection), str(result.check_name))
                    in context.selected_asset_check_keys
                ):
                    yield result
        note_end(context, otherwise="completed")

    return check


def look(engine: Engine, projections: Mapping[str, Projection]) -> dict[str, _State]:
    """Where each projection is not well, by its name."""
    known = list(projections.values())
    with engine.database.reader() as connection:
        rows = connection.execute(
            _LOOK, [[one.name for one in known], [one.version for one in known], [one.follows_as_of for one in known]]
        ).fetchall()
    return {name: _State(behind or (), stale or (), dead or (), letters) for name, behind, stale, dead, letters in rows}


def _results(projection: Projection, state: _State) -> Iterator[AssetCheckResult]:
    for name, found, text in (
        (IN_STEP, state.behind, "behind the event log"),
        (THIS_VERSION, state.stale, "built by another version of the code"),
        (NO_DEAD_LETTERS, state.dead, f"{state.letters:,} events could not be applied"),
    ):
        yield warning(projection_key(projection), name, found, f"{text} in {len(found):,} workspaces")
