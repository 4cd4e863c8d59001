"""Every version of every defined entity: what the other projections and the jobs look people and settings up in."""

from collections.abc import Mapping, Sequence

from batch_jobs.engine.projection import DeadLetter, Folded, Projection, Window
from batch_jobs.engine.tables import RowChanges, Table, changed_rows, is_empty_beside, upsert_rows
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES

# An account keeps the kind and the unit of its first definition (domain 2.1): all versions that stand have them.
_REFUSED = """
    WITH accounts AS (
        SELECT workspace_id, position, payload ->> 'account_id' AS account_id,
            jsonb_build_object('kind', payload -> 'kind', 'unit', payload -> 'unit') AS given
        FROM pending_events WHERE type = 'time_account.defined'
    ), compared AS (
        SELECT a.*, coalesce(d.kept, first_value(a.given) OVER (
            PARTITION BY a.workspace_id, a.account_id ORDER BY a.position
        )) AS kept
        FROM accounts a LEFT JOIN LATERAL (
            SELECT jsonb_build_object('kind', "values" -> 'kind', 'unit', "values" -> 'unit') AS kept FROM definitions
            WHERE workspace_id = a.workspace_id AND kind = 'time_account' AND entity_id = a.account_id
            ORDER BY position LIMIT 1
        ) d ON true
    )
    SELECT workspace_id, position, account_id, given, kept FROM compared WHERE given <> kept ORDER BY 1, 2
"""

# A definition without effective_date forgets all that stood before it, and so does the removal of an employee; of two
# versions of one day the later position wins (domain 3.0).
_KEPT = """
    WITH kinds AS (
        SELECT * FROM unnest(%(types)s::text[], %(kinds)s::text[], %(id_fields)s::text[]) AS k(type, kind, id_field)
    ), defined AS (
        SELECT e.workspace_id, k.kind, e.payload ->> k.id_field AS entity_id, e.position,
            coalesce((e.payload ->> 'effective_date')::date, '0001-01-01') AS valid_from,
            CASE e.type WHEN 'employee.removed' THEN NULL ELSE e.payload END AS "values"
        FROM pending_events e JOIN kinds k USING (type)
        WHERE e.type <> 'time_account.defined' OR (e.workspace_id, e.position) NOT IN (
            SELECT * FROM unnest(%(refused_in)s::text[], %(refused)s::bigint[])
        )
    ), ranked AS (
        SELECT d.*,
            max(position) FILTER (WHERE valid_from = '0001-01-01')
                OVER (PARTITION BY workspace_id, kind, entity_id) AS replaced_at,
            row_number() OVER (PARTITION BY workspace_id, kind, entity_id, valid_from ORDER BY position DESC) AS age
        FROM defined d
    ), kept AS (
        SELECT * FROM ranked WHERE age = 1 AND (replaced_at IS NULL OR position >= replaced_at)
    )
"""
_FORGET = f"""
    {_KEPT}
    DELETE FROM definitions o USING (
        SELECT DISTINCT workspace_id, kind, entity_id FROM ranked WHERE replaced_at IS NOT NULL
    ) r
    WHERE (o.workspace_id, o.kind, o.entity_id) = (r.workspace_id, r.kind, r.entity_id)
      -- A row that gets a new value is one that changes.
      AND NOT EXISTS (
          SELECT FROM kept k WHERE (k.workspace_id, k.kind, k.entity_id, k.valid_from)
            = (o.workspace_id, o.kind, o.entity_id, o.valid_from)
      )
    RETURNING o.workspace_id
"""
_NEW_VERSIONS = f"""{_KEPT} SELECT workspace_id, kind, entity_id, valid_from, position, "values" FROM kept"""

# The invitation expired for the user as defined by then: the versions that are still invited. One that is planned to
# be active stays so, and a later definition stands as it was given.
_EXPIRED_USERS = """
    UPDATE definitions d SET "values" = jsonb_set(d."values", '{status}', '"expired"')
    FROM pending_events e
    WHERE e.type = 'user.invitation_expired' AND d.workspace_id = e.workspace_id AND d.kind = 'user'
      AND d.entity_id = e.payload ->> 'user_id' AND d.position < e.position AND d."values" ->> 'status' = 'invited'
    RETURNING d.workspace_id
"""

_OWNERS = """
    SELECT DISTINCT workspace_id, payload ->> 'employment_id', payload ->> 'employee_id' FROM pending_events
    WHERE type = 'employment.defined'
"""


class Definitions(Projection):
    """One row per version of an entity; `values` is the event's payload, null once an employee is removed. A definition
    that would change the kind or the unit of a time account is a dead letter.

    `employment_owners` holds every employee whom any version of an employment ever named.
    """

    name = "definitions"
    description = "Every version of every entity that a *.defined event gave."
    version = 2
    event_types = frozenset(DEFINED_ENTITIES) | {"employee.removed", "user.invitation_expired"}
    table = Table("definitions", ("workspace_id", "kind", "entity_id", "valid_from"), ("position", "values"))
    further_tables = (Table("employment_owners", ("workspace_id", "employment_id", "employee_id"), ()),)

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """See `Projection.fold`."""
        kinds = {**DEFINED_ENTITIES, "employee.removed": ("employee", "employee_id")}
        letters = _refused_accounts(connection)
        values = {
            "refused_in": [letter.workspace_id for letter in letters],
            "refused": [letter.position for letter in letters],
            "types": list(kinds),
            "kinds": [kind for kind, _ in kinds.values()],
            "id_fields": [id_field for _, id_field in kinds.values()],
        }
        changes = RowChanges()
        if not is_empty_beside(connection, self.table):
            changes += changed_rows(connection, _FORGET, values)
        written = 'UPDATE SET position = excluded.position, "values" = excluded."values"'
        changes += upsert_rows(connection, self.table, _NEW_VERSIONS, values, update=written)
        changes += changed_rows(connection, _EXPIRED_USERS)
        (owners,) = self.further_tables
        upsert_rows(connection, owners, _OWNERS, update="NOTHING")
        return Folded(changes, letters)


def _refused_accounts(connection: Transaction) -> list[DeadLetter]:
    """The pending definitions of time accounts that would change a kind or unit."""
    return [
        DeadLetter(workspace_id, position, _refusal(account_id, given, kept))
        for workspace_id, position, account_id, given, kept in connection.execute(_REFUSED)
    ]


def _refusal(account_id: str, given: Mapping[str, str], kept: Mapping[str, str]) -> str:
    changed = " and ".join(
        f'{field} "{given[field]}" can not replace "{kept[field]}"' for field in kept if given[field] != kept[field]
    )
    return (
        f'time account "{account_id}": {changed}, since what stands in the account is counted so; '
        "define an account of another id and let the policies name it"
    )
