"""`metrics`: how the installation is, for Prometheus."""

from pathlib import Path
from typing import Annotated

import typer

from batch_jobs.cli.output import note
from batch_jobs.errors import BadInputError
from batch_jobs.installation import open_engine


def metrics(
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Write them there, for node_exporter's textfile collector."),
    ] = None,
) -> None:
    """Print the metrics of job runs, overdue jobs, outbox, projections and scheduler, in the text format of Prometheus.

    `batch-jobs up --metrics-port N` serves the same at /metrics. docs/monitoring.md says what each one is for.
    """
    from batch_jobs.monitoring.metrics import exposition, write

    if file and file.suffix != ".prom":
        raise BadInputError(f'--file "{file}": node_exporter reads files that end with .prom alone')
    with open_engine(progress=note) as engine:
        if file is None:
            print(exposition(engine), end="")
            return
        try:
            write(engine, file)
        except OSError as error:
            raise BadInputError(f'--file "{file}" can not be written: {error.strerror}') from error
        note(f"written: {file}")
