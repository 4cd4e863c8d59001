"""Files that are imported while a night goes on: they must not matter to it, whenever they come.

New workspaces come with all their history, and suspended, so that they have no jobs; known ones get projects, which no
job looks at.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from batch_jobs.sample.companies import company
from batch_jobs.sample.story import tell
from batch_jobs_tests.faults.operators import outcome
from batch_jobs_tests.faults.place import START, Place

PAUSE_SECONDS = 1.0
REPEAT_SECONDS = 10.0
# An import that hangs is told of after so many seconds.
PATIENCE = 300.0
PROJECTS = 20


def write_files(folder: Path, *, known: int, new: int, employees: int) -> list[Path]:
    """Write the files.

    Args:
        folder: where to.
        known: workspaces that are there already.
        new: further ones.
        employees: of each.
    """
    contents = []
    for number in range(known, known + new):
        until = START.date()
        told = tell(company(number), employees=employees, seed="7", until=until.replace(day=until.day - 1))
        contents.append([*map(json.dumps, told), _line(company(number).workspace_id, "workspace.suspended", {})])
        project = {"project_id": f"late-{number}", "name": f"Late {number}", "status": "active"}
        known_ones = [company(each).workspace_id for each in range(min(known, PROJECTS))]
        contents.append([_line(name, "project.defined", project) for name in known_ones])
    files = []
    for number, lines in enumerate(contents):
        files.append(folder / f"import-{number}.jsonl")
        files[-1].write_text("\n".join(lines) + "\n")
    return files


def _line(workspace_id: str, event_type: str, payload: dict[str, str]) -> str:
    return json.dumps(
        {
            "workspace_id": workspace_id,
            "event_id": str(uuid5(NAMESPACE_URL, f"{workspace_id}/{event_type}/{payload}")),
            "type": event_type,
            "version": 1,
            "occurred_at": START.isoformat(),
            "actor": "user:importer",
            "payload": payload,
        }
    )


class Importer:
    """Imports the files one after the other, each again until it is in, and all of them over and over.

    Args:
        place: where to.
        files: which.

    Attributes:
        complaints: of imports that ended as none may, in words. That one fails is no fault, as faults happen to it.
    """

    def __init__(self, place: Place, files: Sequence[Path]) -> None:
        self._place = place
        self._missing = list(files)
        self._files = list(files)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.complaints: list[str] = []
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether each file is in."""
        return not self._missing

    def add(self, file: Path) -> None:
        """Import this one next."""
        self._missing.insert(0, file)

    def stop(self) -> None:
        """End after the current file."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        while not self._ended.is_set():
            file = self._missing[0] if self._missing else self._files[number % len(self._files)]
            number += 1
            process = self._place.command("import", str(file))
            said, code = outcome(process, PATIENCE)
            if code is None:
                self.complaints.append(f"the import of {file.name} did not end within {PATIENCE:.0f} s:\n{said}")
            elif "Traceback" in said:
                self.complaints.append(f"the import of {file.name} ended with a traceback:\n{said}")
            if code == 0 and file in self._missing:
                self._missing.remove(file)
            self._ended.wait(PAUSE_SECONDS if self._missing else REPEAT_SECONDS)
