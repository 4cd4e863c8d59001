"""What each role may do, in Dagster's terms: the mutations of its API, and the permissions that its pages ask for."""

from collections.abc import Mapping
from typing import Any

from dagster._core.workspace.permissions import PermissionResult, Permissions
from graphql import FieldNode, GraphQLError, ValidationRule

from batch_jobs.access.roles import Role, may
from batch_jobs.access.sessions import signed_in

MUTATIONS: Mapping[str, Role] = {
    # The pages' own bookkeeping, which touches nothing of the installation.
    "logTelemetry": "viewer",
    "setNuxSeen": "viewer",
    "launchRun": "operator",
    "launchPipelineExecution": "operator",
    "launchMultipleRuns": "operator",
    "launchRunReexecution": "operator",
    "launchPipelineReexecution": "operator",
    "terminateRun": "operator",
    "terminateRuns": "operator",
    "terminatePipelineExecution": "operator",
    "launchPartitionBackfill": "operator",
    "reexecutePartitionBackfill": "operator",
    "resumePartitionBackfill": "operator",
    "cancelPartitionBackfill": "operator",
    # It asks what is due, as `batch-jobs due` does, and starts nothing.
    "scheduleDryRun": "operator",
    # Tried out, a sensor does its work all the same: `announcements` sends messages, `outside_runs` writes events.
    "sensorDryRun": "admin",
    "startSchedule": "admin",
    "stopRunningSchedule": "admin",
    "resetSchedule": "admin",
    "startSensor": "admin",
    "stopSensor": "admin",
    "resetSensor": "admin",
    "setSensorCursor": "admin",
    "setAutoMaterializePaused": "admin",
    "deleteRun": "admin",
    "deletePipelineRun": "admin",
    "wipeAssets": "admin",
    "reportRunlessAssetEvents": "admin",
    "reportAssetCheckEvaluations": "admin",
    "addDynamicPartition": "admin",
    "deleteDynamicPartitions": "admin",
    "reloadWorkspace": "admin",
    "reloadRepositoryLocation": "admin",
    "shutdownRepositoryLocation": "admin",
    "setConcurrencyLimit": "admin",
    "deleteConcurrencyLimit": "admin",
    "freeConcurrencySlots": "admin",
    "freeConcurrencySlotsForRun": "admin",
    "setAppManagedComponent": "admin",
    "deleteAppManagedComponent": "admin",
    "refreshComponentState": "admin",
}
"""The least role of each mutation. One that is not named here, such as that of a newer Dagster, is an admin's."""

OPERATORS_PERMISSIONS = frozenset(
    {
        Permissions.LAUNCH_PIPELINE_EXECUTION,
        Permissions.LAUNCH_PIPELINE_REEXECUTION,
        Permissions.TERMINATE_PIPELINE_EXECUTION,
        Permissions.LAUNCH_PARTITION_BACKFILL,
        Permissions.CANCEL_PARTITION_BACKFILL,
        Permissions.SCHEDULE_DRY_RUN,
    }
)


def permitted(role: Role, known: Mapping[str, PermissionResult]) -> dict[str, PermissionResult]:
    """What a role may do of what Dagster's web server lets everybody do; its pages disable the rest."""
    return {
        name: result if may(role, _least_role(name)) else PermissionResult(False, f"Needs the role {_least_role(name)}")
        for name, result in known.items()
    }


def _least_role(permission: str) -> Role:
    return "operator" if permission in OPERATORS_PERMISSIONS else "admin"


class RoleAllows(ValidationRule):
    """Refuses a document that holds a mutation which the user's role does not include.

    Every field of the type of mutations counts, wherever it stands: under an alias, in a fragment, in an operation of
    the document that is not the one to be executed. Documents reach this rule as Dagster executes them, whichever way
    they came.
    """

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        mutations = self.context.schema.mutation_type
        if mutations is None or self.context.get_parent_type() is not mutations or node.name.value == "__typename":
            return
        user, least = signed_in.get(), MUTATIONS.get(node.name.value, "admin")
        if user is None or not may(user.role, least):
            who = f"{user.name} is {user.role}" if user else "nobody is signed in"
            self.report_error(GraphQLError(f"{node.name.value} needs the role {least}; {who}", node))
