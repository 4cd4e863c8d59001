"""The same events taken in step by step and all at once, for tests that want the same rows of both."""

import itertools
from collections.abc import Sequence

from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.projections.catching_up import catch_up_all

_numbers = itertools.count(1)


def two_ways(database, happened: Sequence[tuple[Event, Sequence[str]]], names: Sequence[str]) -> tuple[str, str]:
    """Take events in, each followed by a catch-up of the projections named with it, and then all of `names`.

    Returns:
        The workspaces in which it happened step by step and all at once. Positions are the same in both.
    """
    number = next(_numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    for event, then in happened:
        import_all(database, *of(split, event))
        if then:
            catch_up_all(database, split, names=then)
    import_all(database, *of(whole, *(event for event, _ in happened)))
    for workspace_id in (split, whole):
        catch_up_all(database, workspace_id, names=names)
    return split, whole
