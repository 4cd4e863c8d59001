"""Nights of a seed, with faults and without, and what became of them."""

import shutil
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg

from batch_jobs_tests.faults.comparison import (
    Rows,
    differences,
    promised_rows_of,
    rows_of,
    without,
    without_period,
)
from batch_jobs_tests.faults.night import Injected, Night
from batch_jobs_tests.faults.place import START, Place, copy_of
from batch_jobs_tests.faults.plan import Plan
from batch_jobs_tests.faults.rules import broken_rules
from batch_jobs_tests.faults.undisturbed import pass_undisturbed
from batch_jobs_tests.mail.server import MailServer, mail_server

# Small, so that a run has many transactions to be interrupted in and between.
CHUNK_ROWS = 40
SMTP_TIMEOUT = 2
# What makes a night of another date, and of an earlier one.
OTHER_DATES = {"clock_forward_a_day", "clock_back_a_day"}
EARLIER_DATE = "clock_back_a_day"


@dataclass(frozen=True)
class Expected:
    """What the night comes to when nothing disturbs it.

    Attributes:
        rows: of all tables.
        runs: job runs that it has.
        promised: rows after the next night, of those that do not depend on when jobs come to them.
    """

    rows: Rows
    runs: int
    promised: Rows


@dataclass
class Result:
    """What became of a disturbed night.

    Attributes:
        seed: of its faults.
        injected: the faults.
        left_out: kinds of faults that were to happen and have not, and why.
        unanswered: messages that the mail server took over without an answer.
        wrong: what should not be, in words; empty when the night survived.
    """

    seed: int
    injected: list[Injected] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    unanswered: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """What the nights begin with.

    Attributes:
        folder: where each gets a folder.
        base: home of the installation that is copied.
        files: what is imported meanwhile.
    """

    folder: Path
    base: Path
    files: Sequence[Path]

    @contextmanager
    def place(self, name: str) -> Iterator[tuple[Place, MailServer]]:
        """A copy of the installation, and the mail server that it sends to."""
        stall = self.folder / name / "stall"
        with mail_server(self.folder / f"{name}-mail.jsonl", "--stall", str(stall)) as mail:
            choices = {
                "BATCH_JOBS_SMTP_HOST": "127.0.0.1",
                "BATCH_JOBS_SMTP_PORT": str(mail.port),
                "BATCH_JOBS_SMTP_SECURITY": "none",
                "BATCH_JOBS_SMTP_TIMEOUT": str(SMTP_TIMEOUT),
                "BATCH_JOBS_CHUNK_ROWS": str(CHUNK_ROWS),
            }
            with copy_of(self.base, self.folder / name, **choices) as place:
                yield place, mail

    def expect(self) -> Expected:
        """Pass the night undisturbed."""
        with self.place("undisturbed") as (place, _):
            before = _runs(place)
            pass_undisturbed(place, self.files)
            rows, runs = rows_of(place.superuser_url), _runs(place) - before
            return Expected(rows, runs, _after_the_next_night(place))

    def disturb(self, seed: int, kinds: Sequence[str], expected: Expected) -> Result:
        """Pass the night with faults of these kinds. Whatever fails, the harness too, is told of this night."""
        result = Result(seed)
        try:
            with self.place(f"seed-{seed}") as (place, mail):
                try:
                    self._pass(result, place, mail, kinds, expected)
                except Exception as error:
                    result.wrong.append(_told(error))
                if result.wrong:
                    self._keep_logs(place)
        except Exception as error:
            result.wrong.append(_told(error))
        return result

    def _pass(self, result: Result, place: Place, mail: MailServer, kinds: Sequence[str], expected: Expected) -> None:
        night = Night(place, self.files)
        result.injected = night.injected
        plan = Plan(night, seed=result.seed, kinds=kinds, runs=expected.runs)
        try:
            with night:
                night.go(plan)
        finally:
            result.left_out = plan.left_out
            result.unanswered = sum(not message["answered"] for message in mail.received)
            result.wrong += night.complaints
        result.wrong += broken_rules(place.superuser_url, mail, night.left_out)
        if OTHER_DATES.intersection(kinds):
            found, like = _after_the_next_night(place, but=night.left_out), expected.promised
            if EARLIER_DATE in kinds:
                eve = (START - timedelta(days=1)).date()
                found, like = without_period(found, eve), without_period(like, eve)
        else:
            found, like = rows_of(place.superuser_url, but=night.left_out), expected.rows
        result.wrong += differences(found, without(like, night.left_out))

    def _keep_logs(self, place: Place) -> None:
        kept = self.folder / f"{place.folder.name}-logs"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for found in (place.settings.home / "logs", place.folder / "up.log"):
            if found.is_dir():
                shutil.copytree(found, kept, dirs_exist_ok=True)
            elif found.exists():
                shutil.copy(found, kept)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}\n{''.join(traceback.format_tb(error.__traceback__, limit=-3))}"


def _after_the_next_night(place: Place, *, but: Collection[str] = ()) -> Rows:
    place.clock.pass_over(timedelta(days=1))
    pass_undisturbed(place, [])
    return promised_rows_of(place.superuser_url, but=but)


def _runs(place: Place) -> int:
    with psycopg.connect(place.superuser_url) as connection:
        row = connection.execute("SELECT count(*) FROM batch_jobs.job_runs WHERE ended_at IS NOT NULL").fetchone()
    return int(row[0]) if row else 0
