"""`make fuzz`: ten thousand inputs; the exit code is 1 when one of them went wrong. Put such a one into the corpus."""

import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given

from batch_jobs.installation import database_url
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs_tests.fuzz.command_lines import command_lines, refused_command_lines
from batch_jobs_tests.fuzz.inputs import import_files, job_parameters
from batch_jobs_tests.fuzz.place import Place, chosen, place_of
from batch_jobs_tests.fuzz.run_configs import run_configs
from batch_jobs_tests.fuzz.trials import try_command, try_import, try_parameters, try_refused_command, try_run_config

REFUSED = "command lines to be refused"
NUMBERS = {
    "import files": 2_500,
    "job parameters": 4_000,
    "run configs": 1_500,
    "command lines": 1_500,
    REFUSED: 500,
}
# Where fewer are taken, what comes after the refusals was hardly tried.
FAIR_SHARE = 0.03


def main() -> int:
    """Try all kinds. Returns the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="batch-jobs-fuzz-"))
    settings = Settings(home=folder / "home")
    try:
        with place_of(database_url(settings, print), folder) as place:
            found = {kind: _search(kind, number, place) for kind, number in NUMBERS.items()}
            return 0 if all(found.values()) else 1
    finally:
        EmbeddedServer(settings).stop()
        shutil.rmtree(folder, ignore_errors=True)


def _search(kind: str, number: int, place: Place) -> bool:
    strategies: dict[str, tuple[Any, Callable[[Any], bool]]] = {
        "import files": (import_files, lambda found: try_import(place, found)),
        "job parameters": (job_parameters, lambda found: try_parameters(*found)),
        "run configs": (run_configs(), lambda found: try_run_config(place, *found)),
        "command lines": (command_lines(), lambda found: try_command(place, found)),
        REFUSED: (refused_command_lines(), lambda found: try_refused_command(place, found)),
    }
    strategy, trial = strategies[kind]
    tried = taken = 0

    @chosen(number)
    @given(strategy)
    def search(found: Any) -> None:
        nonlocal tried, taken
        tried += 1
        taken += trial(found)

    began = time.monotonic()
    try:
        search()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        traceback.print_exc()
        print(f"{kind}: one went wrong after {tried:,} inputs", flush=True)
        return False
    print(f"{kind}: {tried:,} inputs, {taken:,} taken, none went wrong, {time.monotonic() - began:.0f} s", flush=True)
    if kind != REFUSED and taken < FAIR_SHARE * tried:
        print(f"{kind}: too few were taken to say much of those", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
