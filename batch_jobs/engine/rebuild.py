"""Rebuilding projections beside the rows that serve, from the first event on. Knows no job, keeps no ledger.

Where derived projections alone are wanted (search indexes), they are made from the projections as they serve.

What is built stands in temporary tables of the transaction's own, under the names of the real ones, where the same
folds that catch up find them first. Nothing of it outlives the transaction: whoever is killed leaves the old rows
serving and no table behind. Readers see the rows of before until the commit, and those of after from then on.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from batch_jobs.engine.catch_up import bury, in_order
from batch_jobs.engine.drift import Comparison, Drift
from batch_jobs.engine.folding import REBUILT, Goal, Reach, derive, fold, goals, windows
from batch_jobs.engine.projection import DeadLetter, DerivedProjection, Projection, Window
from batch_jobs.engine.tables import Table
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze

# Events of one workspace that are folded at once: what a fold holds in memory is bounded, and progress is seen.
STEP_EVENTS = 250_000

_SAVE = """
    INSERT INTO batch_jobs.checkpoints (projection, workspace_id, position, as_of, version)
    SELECT %(projection)s, t.workspace_id, t.position, t.as_of, %(version)s
    FROM unnest(%(workspaces)s::text[], %(positions)s::bigint[], %(as_of)s::date[]) AS t(workspace_id, position, as_of)
    ON CONFLICT (projection, workspace_id)
    DO UPDATE SET position = excluded.position, as_of = excluded.as_of, version = excluded.version
"""
_FORGET = """
    DELETE FROM batch_jobs.dead_letters d
    WHERE d.projection = %(projection)s AND d.workspace_id = ANY (%(scope)s)
      AND NOT EXISTS (
          SELECT FROM unnest(%(workspaces)s::text[], %(positions)s::bigint[]) AS k(workspace_id, position)
          WHERE k.workspace_id = d.workspace_id AND k.position = d.position
      )
"""
# How far all of these projections are, in workspaces where each of them has begun.
_REACHED = """
    SELECT workspace_id, min(position), min(as_of) FILTER (WHERE projection = ANY (%(dated)s))
    FROM batch_jobs.checkpoints WHERE projection = ANY (%(projections)s) AND workspace_id = ANY (%(workspaces)s)
    GROUP BY 1 HAVING count(*) = cardinality(%(projections)s)
"""
_INDEXES_FOR_WORDS = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE i.indrelid = to_regclass(%s) AND a.amname = 'gin'
"""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found for one projection.

    Attributes:
        projection: which.
        drifts: how each of its tables differs.
        dead_letters: the events that it could not apply.
        comparisons: where the drifts come from.
    """

    projection: Projection
    drifts: list[Drift] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)


class Rebuild:
    """Projections of some workspaces, built anew within one transaction: `build`, lock the workspaces, `catch_up`, then
    `compare` and `swap` one projection after the other.

    Those that the wanted ones read are built as well, so that no wrong row of theirs gets in, but they are not swapped;
    unless all that are wanted are derived ones.

    Args:
        connection: a transaction whose scope holds the workspaces.
        projections: all there are, by name.
        names: those that are wanted.
        workspaces: their ids.

    Attributes:
        projections: those that are wanted and all that they read, in order.
        wanted: those that are wanted, in order.
        sources: those of which the wanted ones are made as they serve; they must be caught up before `catch_up`.
        events: how many events each workspace has so far of what was folded.
        goals: how far the rows are in each workspace.
    """

    def __init__(
        self,
        connection: Transaction,
        projections: Mapping[str, Projection],
        names: Collection[str],
        workspaces: Sequence[str],
    ) -> None:
        self._connection = connection
        self.projections = in_order(projections, names)
        self.wanted = [projection for projection in self.projections if projection.name in names]
        derives = all(isinstance(projection, DerivedProjection) for projection in self.wanted)
        self.sources = [projection for projection in self.projections if derives and projection not in self.wanted]
        self._built = [projection for projection in self.projections if projection not in self.sources]
        self._workspaces = sorted(workspaces)
        self.goals: dict[str, Goal] = {}
        self._letters: defaultdict[str, list[DeadLetter]] = defaultdict(list)
        self.events: Counter[str] = Counter()

    def build(self, on_events: Callable[[int], None] = lambda _: None) -> None:
        """Fold everything recorded so far, or derive it from the sources, without any lock.

        Args:
            on_events: told how many events are done, now and then.
        """
        for projection in self._built:
            for table in projection.tables:
                _create_beside(self._connection, projection.schema, table)
        wanted = goals(self._connection, self._workspaces)
        done = 0
        if self.sources:
            self.goals = self._sources_reached(wanted)
        else:
            folded = [projection for projection in self._built if not isinstance(projection, DerivedProjection)]
            for step in _steps(wanted):
                size = sum(goal.position - self._reached(name).position for name, goal in step.items())
                for share in self._fold(folded, step):
                    on_events(done + round(size * share))
                done += size
        total = sum(goal.position for goal in wanted.values())
        for share in self._derive():
            on_events(max(done, round(total * share)))

    def catch_up(self) -> None:
        """Fold what was recorded since; the workspaces are locked now."""
        for _ in self._fold(self._built, goals(self._connection, self._workspaces)):
            pass

    def compare(
        self,
        projection: Projection,
        *,
        workspaces: Iterable[str] | None = None,
        only: Mapping[str, str] | None = None,
        samples: int = 0,
    ) -> Rebuilt:
        """How the rows that serve differ from those that were built.

        Args:
            projection: one of the wanted.
            workspaces: those whose rows are compared, None for all.
            only: for a part of the rows, relations of `workspace_id` and a column, by the column; of each table the
                rows that match by the first of these columns that it has, and none of a table that has none. None for
                all rows.
            samples: how many of the rows that differ to show for each workspace and table.
        """
        found = Rebuilt(projection)
        for table, relation in self._parts(projection, only):
            comparison = Comparison(self._connection, projection.schema, table, self._among(workspaces), only=relation)
            found.drifts.append(comparison.find(samples=samples))
            found.comparisons.append(comparison)
        among = set(self._among(workspaces))
        found.dead_letters = [letter for letter in self._letters[projection.name] if letter.workspace_id in among]
        return found

    def swap(
        self, found: Rebuilt, *, workspaces: Iterable[str] | None = None, only: Mapping[str, str] | None = None
    ) -> None:
        """Take over what `compare` found with the same arguments. For all rows, note as well how far they are, by which
        version of the code, and which events could not be applied: a part leaves that as it is.
        """
        for comparison in found.comparisons:
            comparison.take_over()
        if only is None:
            self._settle(found, self._among(workspaces))

    def _derive(self) -> Iterator[float]:
        """Make the rows of derived projections as far as the goals. Yields now and then which share of it is done."""
        derived = [projection for projection in self._built if isinstance(projection, DerivedProjection)]
        as_of = {workspace_id: goal.as_of for workspace_id, goal in self.goals.items()}
        for number, projection in enumerate(derived):
            for share in derive(self._connection, projection, as_of):
                yield (number + share) / len(derived)
            self._analyze(projection)
            yield (number + 1) / len(derived)

    def _sources_reached(self, wanted: Mapping[str, Goal]) -> dict[str, Goal]:
        """How far the sources are. Rows that get further while they are read do no harm: what events changed in them is
        derived again by `catch_up`.
        """
        names = [projection.name for projection in self.sources]
        dated = [projection.name for projection in self.sources if projection.follows_as_of]
        rows = self._connection.execute(
            _REACHED, {"projections": names, "dated": dated, "workspaces": list(wanted)}
        ).fetchall()
        return {name: Goal(position, as_of or wanted[name].as_of) for name, position, as_of in rows}

    def _fold(self, projections: Sequence[Projection], wanted: Mapping[str, Goal]) -> Iterator[float]:
        """Fold up to these goals. Yields now and then which share of it is done."""
        lacking = self._lacking(projections, wanted)
        for done, (projection, folded) in enumerate(fold(self._connection, lacking, search_path=REBUILT), 1):
            self._letters[projection.name] += folded.dead_letters
            self._analyze(projection)
            yield done / len(lacking)
        if lacking:
            self._count_events()
        self.goals |= wanted

    def _analyze(self, projection: Projection) -> None:
        for table in projection.tables:
            analyze(self._connection, table.name, table.key)

    def _lacking(
        self, projections: Sequence[Projection], wanted: Mapping[str, Goal]
    ) -> list[tuple[Projection, list[Window]]]:
        reached = {workspace_id: self._reached(workspace_id) for workspace_id in wanted}
        found = [(projection, windows(projection, wanted, reached)) for projection in projections]
        return [(projection, missing) for projection, missing in found if missing]

    def _reached(self, workspace_id: str) -> Reach:
        goal = self.goals.get(workspace_id)
        return Reach(goal.position, goal.as_of) if goal else Reach()

    def _count_events(self) -> None:
        rows = self._connection.execute("SELECT workspace_id, count(*) FROM pg_temp.pending_events GROUP BY 1")
        self.events.update(dict(rows.fetchall()))

    def _parts(self, projection: Projection, only: Mapping[str, str] | None) -> Iterator[tuple[Table, str | None]]:
        for table in projection.tables:
            if only is None:
                yield table, None
                continue
            columns = {column for column in only if column in _columns(self._connection, table)}
            if relation := next((only[column] for column in only if column in columns), None):
                yield table, relation

    def _among(self, workspaces: Iterable[str] | None) -> list[str]:
        return self._workspaces if workspaces is None else sorted(workspaces)

    def _settle(self, found: Rebuilt, workspaces: Sequence[str]) -> None:
        projection, letters = found.projection, found.dead_letters
        reached = {name: self.goals[name] for name in workspaces if name in self.goals}
        self._connection.execute(
            _FORGET,
            {
                "projection": projection.name,
                "scope": workspaces,
                "workspaces": [letter.workspace_id for letter in letters],
                "positions": [letter.position for letter in letters],
            },
        )
        bury(self._connection, projection, letters)
        self._connection.execute(
            _SAVE,
            {
                "projection": projection.name,
                "version": projection.version,
                "workspaces": list(reached),
                "positions": [goal.position for goal in reached.values()],
                "as_of": [goal.as_of for goal in reached.values()],
            },
        )


def _steps(wanted: Mapping[str, Goal]) -> Iterator[dict[str, Goal]]:
    """The goals, those of huge workspaces on the way to them first."""
    position = STEP_EVENTS
    while any(goal.position > position for goal in wanted.values()):
        yield {name: Goal(min(goal.position, position), goal.as_of) for name, goal in wanted.items()}
        position += STEP_EVENTS
    yield dict(wanted)


def _create_beside(connection: Transaction, schema: str, table: Table) -> None:
    """A twin of the table without its indexes for words: nobody searches in it, and they take longest to write."""
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING ALL) ON COMMIT DROP").format(
            sql.Identifier(table.name), sql.Identifier(schema, table.name)
        )
    )
    for (name,) in connection.execute(_INDEXES_FOR_WORDS, [_beside(table).as_string(connection)]).fetchall():
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("pg_temp", name)))


def _columns(connection: Transaction, table: Table) -> set[str]:
    described = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(_beside(table))).description
    return {column.name for column in described or ()}


def _beside(table: Table) -> sql.Identifier:
    return sql.Identifier("pg_temp", table.name)
