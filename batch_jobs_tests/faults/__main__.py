"""`make faults`: fifty nights (or `SEEDS=5`), each disturbed in its own way. The exit code tells of harm."""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random

from batch_jobs_tests.faults.clock import can_be_moved
from batch_jobs_tests.faults.importing import write_files
from batch_jobs_tests.faults.injections import INJECTIONS
from batch_jobs_tests.faults.place import make_base
from batch_jobs_tests.faults.trial import Ground, Result

EMPLOYEES = 4
NEW_WORKSPACES = 3
KINDS_AT_ONCE = 5
STALL = "stall_mail_server"


def kinds_of(seed: int) -> list[str]:
    """The faults of a seed: every kind comes in three seeds in a row."""
    kinds = sorted(INJECTIONS)
    Random(seed // 3).shuffle(kinds)
    part = seed % 3
    return kinds[part * KINDS_AT_ONCE : (part + 1) * KINDS_AT_ONCE]


def main() -> int:
    """Pass the nights. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--workspaces", type=int, default=200)
    options = parser.parse_args()
    if not can_be_moved():
        print("a C compiler (cc) is needed for the clock that is moved; install one, such as gcc", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="batch-jobs-faults-"))
    began = time.monotonic()
    base = make_base(folder, workspaces=options.workspaces, employees=EMPLOYEES)
    files = write_files(folder, known=options.workspaces, new=NEW_WORKSPACES, employees=EMPLOYEES)
    ground = Ground(folder, base, files)
    expected = ground.expect()
    print(f"undisturbed: {expected.runs:,} job runs, {time.monotonic() - began:.0f} s with all before", flush=True)
    results = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        began = time.monotonic()
        results.append(ground.disturb(seed, kinds_of(seed), expected))
        _tell(results[-1], time.monotonic() - began)
    print(table(results))
    if all(not result.wrong for result in results):
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    print(f"logs of the nights that came to harm: {folder}/seed-…-logs")
    return 1


def table(results: Sequence[Result]) -> str:
    """What was injected and survived, and how long it took until work went on, as Markdown."""
    injected: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    survived: Counter[str] = Counter()
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for result in results:
        for fault in result.injected:
            injected[fault.kind] += 1
            survived[fault.kind] += not result.wrong
            if fault.taken_over is not None:
                taken[fault.kind].append(fault.taken_over)
        left_out.update(result.left_out.keys())
        reasons.update(result.left_out.items())
    rows = [
        "| fault | injected | left out | in nights that came to the same | take-over, median and longest |",
        "|---|---|---|---|---|",
    ]
    for kind in INJECTIONS:
        times = taken[kind]
        told = f"{statistics.median(times):.0f} s, {max(times):.0f} s" if times else "nothing came after it"
        counts = f"{injected[kind]} | {left_out[kind]} | {survived[kind]}"
        rows.append(f"| {kind.replace('_', ' ')} | {counts} | {told} |")
    rows += ["", *(f"left out: {kind}, {times} times: {why}" for (kind, why), times in sorted(reasons.items()))]
    stalled = [result for result in results if any(fault.kind == STALL for fault in result.injected)]
    unanswered = [result.unanswered for result in stalled if result.unanswered]
    rows.append(
        f"messages that a stalled mail server took and never answered: {sum(unanswered)}, "
        f"in {len(unanswered)} of {len(stalled)} nights"
    )
    nights = sum(not result.wrong for result in results)
    return "\n".join([*rows, f"{nights} of {len(results)} nights came to the same as the undisturbed one"])


def _tell(result: Result, seconds: float) -> None:
    kinds = ", ".join(f"{fault.kind} at {fault.at:.0f}" for fault in result.injected)
    print(f"seed {result.seed}: {'harm' if result.wrong else 'the same'}, {seconds:.0f} s; {kinds}", flush=True)
    for kind, why in result.left_out.items():
        print(f"    left out: {kind}: {why}", flush=True)
    for line in result.wrong:
        print(f"    {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
