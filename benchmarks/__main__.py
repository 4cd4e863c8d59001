"""Runs the benchmarks, one after the other, and reports: `python -m benchmarks [--only NAME…] [--output FILE]`."""

import argparse
import os
import sys
from pathlib import Path

from benchmarks import importing, ledger, mailing, need_check, night, rebuilding, searching, whole_night
from benchmarks.bench import Sizes, fresh_installation, tell
from benchmarks.figures import Figure, print_table, write_json

# An installation for each group; in it each stands on what those before it left in the database.
GROUPS = ((importing, night, ledger, need_check), (whole_night,), (rebuilding,), (searching,), (mailing,))


def main() -> int:
    """Returns the exit code: 0 when everything was measured, whether or not the targets are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "latest.json", help="where to write")
    names = {benchmark.__name__.rpartition(".")[2]: group for group in GROUPS for benchmark in group}
    parser.add_argument("--only", nargs="+", choices=names, default=list(names), help="some, with those they stand on")
    chosen = parser.parse_args()
    output: Path = chosen.output
    figures: dict[str, Figure] = {}
    for group in dict.fromkeys(names[name] for name in chosen.only):
        with fresh_installation(Sizes.at(float(os.environ.get("BENCH_SCALE", "1")))) as bench:
            for benchmark in group:
                figures.update(benchmark.measure(bench))
    tell("done")
    write_json(figures, output)
    print_table(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
