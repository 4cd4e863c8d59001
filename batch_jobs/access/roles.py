"""The three roles of the web UI, each of which may do all that the one before it may."""

from typing import Literal, TypeAlias, get_args

from batch_jobs.errors import BadInputError

Role: TypeAlias = Literal["viewer", "operator", "admin"]
"""viewer: sees everything, changes nothing. operator: also launches, stops and re-runs. admin: everything."""

ROLES: tuple[Role, ...] = get_args(Role)


def may(role: Role, least: Role) -> bool:
    """Whether a role includes another one."""
    return ROLES.index(role) >= ROLES.index(least)


def read_role(text: str) -> Role:
    """The role that a text names.

    Raises:
        BadInputError: it names none.
    """
    for role in ROLES:
        if text == role:
            return role
    raise BadInputError(f'role "{text}" is not known; expected one of: {", ".join(ROLES)}')
