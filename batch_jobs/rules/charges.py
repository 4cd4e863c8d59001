"""What an absence is charged to: the account that pays for it and the activity it is on the timesheet (domain 2.1)."""

from datetime import date
from typing import NamedTuple

from batch_jobs.rules.definitions import Definitions
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.policies import TimeAccount


class Charge(NamedTuple):
    """What a time-off policy says on a day. `account` and `activity_id` are None where the policy names none."""

    account: TimeAccount | None
    activity_id: str | None


def charge(definitions: Definitions, policy_id: str, day: date) -> Charge:
    """What absences under the policy are charged to on the day.

    Args:
        definitions: with the kinds of `POLICY_KINDS`.
        policy_id: of a time-off policy.
        day: whose versions count.

    Raises:
        UndefinedReferenceError: the policy, or an account or activity that it names, is not defined.
    """
    account = account_of(definitions, policy_id, day)
    policy = definitions.time_off_policies[policy_id].on(day)
    if policy.activity_id and policy.activity_id not in definitions.activities:
        raise UndefinedReferenceError(
            f'time-off policy "{policy_id}": activity_id "{policy.activity_id}" is not defined {_where(definitions)}; '
            "import its activity.defined first"
        )
    return Charge(account, policy.activity_id or None)


def account_of(definitions: Definitions, policy_id: str, day: date) -> TimeAccount | None:
    """The account of the time-off policy on the day, None where it names none. Arguments as for `charge`.

    Raises:
        UndefinedReferenceError: the policy, or the account that it names, is not defined.
    """
    where = _where(definitions)
    if policy_id not in definitions.time_off_policies:
        raise UndefinedReferenceError(
            f'time-off policy "{policy_id}" is not defined {where}; import its time_off_policy.defined first'
        )
    account_id = definitions.time_off_policies[policy_id].on(day).account_id
    if not account_id:
        return None
    if account_id not in definitions.time_accounts:
        raise UndefinedReferenceError(
            f'time-off policy "{policy_id}": account_id "{account_id}" is not defined {where}; '
            "import its time_account.defined first"
        )
    return definitions.time_accounts[account_id].on(day)


def _where(definitions: Definitions) -> str:
    return f'in workspace "{definitions.workspace_id}"'
