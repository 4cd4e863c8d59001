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
from batch_jobs_tests.fuzz import inputs
from batch_jobs_tests.fuzz.place import chosen, place_of
from batch_jobs_tests.fuzz.trials import Place, try_command, try_import, try_parameters, try_run_config

NUMBERS = {"import files": 2_500, "job parameters": 4_000, "run configs": 1_500, "command lines": 2_000}


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
    strategies: dict[str, tuple[Any, Callable[[Any], None]]] = {
        "import files": (inputs.import_files, lambda found: try_import(place, found)),
        "job parameters": (inputs.job_parameters, lambda found: try_parameters(*found)),
        "run configs": (inputs.run_configs(), try_run_config),
        "command lines": (inputs.command_lines(), lambda found: try_command(place, found)),
    }
    strategy, trial = strategies[kind]
    tried = 0

    @chosen(number)
    @given(strategy)
    def search(found: Any) -> None:
        nonlocal tried
        tried += 1
        trial(found)

    began = time.monotonic()
    try:
        search()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        traceback.print_exc()
        print(f"{kind}: one went wrong after {tried:,} inputs", flush=True)
        return False
    print(f"{kind}: {tried:,} inputs, none went wrong, {time.monotonic() - began:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
