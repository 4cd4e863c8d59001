"""What asset checks have in common: a warning that names workspaces, and a schedule that looks by itself."""

from collections.abc import Sequence

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetKey,
    DefaultScheduleStatus,
    ScheduleDefinition,
    define_asset_job,
)
from dagster import AssetSelection as Selection

NAMED = 5


def checks_schedule(checks: AssetChecksDefinition, name: str, *, cron: str, description: str) -> ScheduleDefinition:
    """Looks by itself, so that what a deploy, a bad event or a silent schedule left behind is seen without being asked
    for.
    """
    return ScheduleDefinition(
        name=f"{name}_schedule",
        job=define_asset_job(name, selection=Selection.checks(checks), description=description),
        cron_schedule=cron,
        description=description,
        default_status=DefaultScheduleStatus.RUNNING,
    )


def warning(key: AssetKey, check: str, workspaces: Sequence[str], text: str, **metadata: str) -> AssetCheckResult:
    """The result of a check that passes where it found no workspaces.

    Args:
        key: of the asset.
        check: its name.
        workspaces: where something is not well; the first are named.
        text: what is not well.
        metadata: more about it.
    """
    more = f" and {len(workspaces) - NAMED} more" if workspaces[NAMED:] else ""
    named = {"named": ", ".join(workspaces[:NAMED]) + more, **metadata} if workspaces else {}
    return AssetCheckResult(
        passed=not workspaces,
        asset_key=key,
        check_name=check,
        severity=AssetCheckSeverity.WARN,
        description=text if workspaces else None,
        metadata={"workspaces": len(workspaces), **named},
    )
