"""The process that imports a file for the benchmark: a fresh one, so that its memory is that of the import alone."""

import json
import sys
import time
from pathlib import Path

import psutil

from batch_jobs.installation import database_url
from batch_jobs.settings import read_settings
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import import_events


def main(file: Path) -> None:
    """Import the file, and print the events, seconds and megabytes it took as JSON."""
    process = psutil.Process()
    memory: list[int] = []

    def look(_lines: int) -> None:
        memory.append(process.memory_info().rss)

    with Database(database_url(read_settings())) as database, file.open("rb") as lines:
        with database.owner():
            before = process.memory_info().rss
        began = time.perf_counter()
        appended = import_events(database, lines, progress=look)
        seconds = time.perf_counter() - began
    look(0)
    megabytes = {"peak_mb": max(memory) / 1e6, "idle_mb": before / 1e6}
    print(json.dumps({"events": appended.events, "seconds": seconds, **megabytes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
