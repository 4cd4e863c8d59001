"""`demo`: a night over sample workspaces, through the orchestrator, from nothing to the run history."""

from datetime import UTC, datetime

from batch_jobs.cli.night_table import print_night
from batch_jobs.cli.output import note, say
from batch_jobs.cli.progress import progress_text
from batch_jobs.cli.samples import EMPLOYEES, SEED, WORKSPACES, catch_up, load_sample, yesterday
from batch_jobs.cli.setup import prepare
from batch_jobs.engine.by_hand import in_order
from batch_jobs.engine.history import list_runs
from batch_jobs.installation import open_engine
from batch_jobs.settings import read_settings

MOST_RUNS = 2_000


def demo() -> None:
    """Set up, make 25 sample workspaces, run tonight's due jobs through the orchestrator, show how each of them went.

    Safe to repeat: the sample is kept, and what is done is not due again.
    """
    settings = read_settings()
    for line in prepare(settings):
        say(line)
    with open_engine(settings, progress=note) as engine:
        until = yesterday(datetime.now(UTC))
        say(str(load_sample(engine, workspaces=WORKSPACES, employees=EMPLOYEES, seed=SEED, until=until)))
        catch_up(engine)
        with progress_text("loading the orchestrator") as tell:
            from batch_jobs.orchestration.night import run_night

            runs = sum(map(len, run_night(settings, engine, tell).values()))
        say(f"{runs:,} orchestrator runs" if runs else "nothing is due tonight: all is done already")
        own = engine.own_today(engine.active_workspaces())
        with engine.database.reader() as connection:
            recent = list_runs(connection, limit=MOST_RUNS)
            tonight = [run for run in recent if own.get(run.workspace_id) == run.run_date]
            jobs = [job.name for job in in_order(engine.jobs, engine.nightly_jobs)]
            print_night(connection, tonight, jobs=jobs, workspaces=len(own))
    say("\nthe web UI: `batch-jobs up` (or `make up`), then http://127.0.0.1:3000; the ledger: `batch-jobs runs`")
