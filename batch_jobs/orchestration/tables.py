"""Tables that fit the web UI: a table of its run page has some seventy letters, of which each column takes a share."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dagster import MetadataValue, TableRecord

# Of what a dry run shows: the columns of rows that a rebuild would change, and of events that another job would append.
# `batch-jobs runs show` has the others.
PLAN_COLUMNS = ("table", "change", "key", "before", "after", "type", "employee_id", "targets", "payload")


def table(rows: Sequence[Mapping[str, Any]]) -> MetadataValue:
    """Rows as a table in the UI, with the columns in which any of them has a value."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if value not in (None, "", [], {}))
    return MetadataValue.table([TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows])


def plan_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a dry run shows of a row, with what tells most first: the ledger keeps no order.

    A row that is neither an event nor one of a table is shown by its own names.
    """
    if "table" not in row and "payload" not in row:
        return dict(row)
    shown = {name: row[name] for name in PLAN_COLUMNS if name in row}
    if "payload" in shown:
        payload = {name: value for name, value in shown.pop("payload").items() if name != "employee_id"}
        # In one column, which is as wide as the others leave it: a narrow one would break the type in mid-word.
        shown["event"] = f"{shown.pop('type')}: {in_words(payload)}"
    return shown


def in_words(values: Mapping[str, Any]) -> str:
    """Names and values in one line."""
    return ", ".join(f"{name} {_word(value)}" for name, value in values.items())


def _cell(value: Any) -> str | int | float | bool | None:
    if isinstance(value, Mapping):
        return in_words(value)
    if isinstance(value, list | tuple):
        return ", ".join(_word(one) for one in value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
