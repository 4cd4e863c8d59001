"""The fingerprint of a forecast: equal for equal inputs, whatever the run date and the machine (domain 6.1)."""

import json
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from typing import Any

from batch_jobs.rules.accrual.coverage import Covered, Hours
from batch_jobs.rules.policies import TimeOffPolicy
from batch_jobs.rules.versions import Versions

FORMULA = 1
"""Goes up when the same inputs shall give other entries, so that all forecasts are computed again."""
FORMULA_OF_CHANGES = 2
"""Goes up when those shall whose policy has more than one plan or expiration: only theirs are computed again."""


def policy_inputs(policy: Versions[TimeOffPolicy]) -> str:
    """What of the policy's versions the entries depend on, as canonical JSON."""
    plans = policy.map(
        lambda version: (type(version.accrual).__name__, version.accrual, version.expires_after_months)
    ).between(date.min, None)
    inputs = [
        [str(valid_from), kind, asdict(plan) if plan else None, expires_after_months]
        for valid_from, _, (kind, plan, expires_after_months) in plans
    ]
    return _canonical(inputs if len(inputs) == 1 else [FORMULA_OF_CHANGES, *inputs])


def fingerprint(policy: str, covered: Covered, hours: Hours | None) -> str:
    """The fingerprint over all inputs of the entries: 64 hexadecimal digits.

    Args:
        policy: as `policy_inputs` gives it.
        covered: all of the employee's covered days.
        hours: on all days; None where no plan asks for them.
    """
    days = [[str(start), str(end)] for start, end in covered.stretches]
    worked = None if hours is None else [[str(first), str(last), str(minutes)] for first, last, minutes in hours]
    return sha256(f"{FORMULA}|{policy}|{_canonical([days, worked])}".encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
