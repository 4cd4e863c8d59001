"""`up`: the web UI, the scheduler and the workers of an installation, until Ctrl-C."""

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch_jobs.cli.output import note, say
from batch_jobs.cli.setup import prepare
from batch_jobs.doctor.machine import port_owner
from batch_jobs.errors import BadInputError, UnavailableError
from batch_jobs.installation import database_url, open_database, open_engine
from batch_jobs.settings import PROJECT_FOLDER, Settings, read_settings
from batch_jobs.store import schema
from batch_jobs.store.database import Database

if TYPE_CHECKING:
    from batch_jobs.orchestration.supervision import Service

LOOK_SECONDS = 0.5
# A job run stops between its chunks of work, which take seconds.
GRACE_SECONDS = 60.0
USUAL_PORTS = {"--port": 3000, "--metrics-port": 9464}
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - named, not chosen


def up(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the web UI.")] = 3000,
    host: Annotated[
        str,
        typer.Option("--host", help="Address of the web UI; one that others reach needs --auth or --without-login."),
    ] = "127.0.0.1",
    auth: Annotated[
        bool, typer.Option("--auth", help="Ask for name and password; `batch-jobs users` says who may do what.")
    ] = False,
    without_login: Annotated[
        bool,
        typer.Option("--without-login", help="Let everybody in who reaches the address."),
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option("--metrics-port", min=1, max=65535, help="Serve metrics for Prometheus at /metrics of this port."),
    ] = None,
) -> None:
    """Run database, web UI, scheduler and workers until Ctrl-C.

    What dies is started again. Ctrl-C ends all of it: job runs in progress end as stopped after their current chunk of
    work, and are due again; a second Ctrl-C does not wait for them. Logs are kept in the folder `logs` of the home.
    """
    from batch_jobs.orchestration.alone import alone, check_alone

    settings = read_settings()
    if auth and without_login:
        raise BadInputError("--auth and --without-login contradict each other; expected one of them")
    if not (auth or without_login or _is_loopback(host)):
        raise BadInputError(
            f'--host "{host}" lets everybody who reaches it run and delete everything: without --auth the web UI knows '
            "no password. Say --auth (docs/security.md), leave --host out, or say --without-login as well"
        )
    if port == metrics_port:
        raise BadInputError(f"--port and --metrics-port are both {port}; expected two ports")
    # First: that its own web UI has the port is no reason to choose another one.
    check_alone(settings.home)
    _check_port(host, port, "--port", "the web UI")
    if metrics_port:
        _check_port(host, metrics_port, "--metrics-port", "the metrics")
    _prepare(settings)
    if auth:
        _check_users(settings)
    # A host of IPv6 stands in brackets in a URL.
    shown = EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{shown}:{port}"
    with alone(settings.home, url):
        _serve(settings, host=host, port=port, auth=auth, url=url, metrics_port=metrics_port)
    say("all is ended")


def _serve(settings: Settings, *, host: str, port: int, auth: bool, url: str, metrics_port: int | None) -> None:
    from batch_jobs.orchestration.services import orchestrator_services

    folder = Path(tempfile.mkdtemp(prefix="batch-jobs-up-"))
    try:
        services = orchestrator_services(folder, host=host, port=port, auth=auth)
        with _metrics(settings, host, metrics_port):
            _supervise(settings, services, url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _end_database(settings)


@contextmanager
def _metrics(settings: Settings, host: str, port: int | None) -> Iterator[None]:
    """Serve the metrics, measured here: whoever of the services stands still is seen."""
    if port is None:
        yield
        return
    from prometheus_client import start_http_server

    from batch_jobs.monitoring.metrics import registry_of

    with open_engine(settings) as engine:
        server, thread = start_http_server(port, host, registry_of(engine))
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _supervise(settings: Settings, services: Sequence["Service"], url: str) -> None:
    from batch_jobs.orchestration.caretaking import caring
    from batch_jobs.orchestration.services import answers, environment_of
    from batch_jobs.orchestration.supervision import Supervisor

    width = max(len(service.name) for service in services)
    supervisor = Supervisor(
        services,
        environment=environment_of(settings),
        folder=PROJECT_FOLDER,
        logs=settings.home / "logs",
        show=lambda name, line: say(f"{name:<{width}} | {line}"),
    )
    asked, hurried = threading.Event(), threading.Event()

    def end(_signum: int, _frame: object) -> None:
        (hurried if asked.is_set() else asked).set()

    before = {signum: signal.signal(signum, end) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    ready = False
    try:
        with caring(settings, services, supervisor, say):
            while not asked.wait(LOOK_SECONDS):
                supervisor.look()
                if not ready and answers(url):
                    ready = True
                    say(f"ready: {url} (Ctrl-C ends it)")
    finally:
        # A terminal that has gone is no reason to leave the services behind.
        with suppress(OSError):
            note("ending: job runs stop after their current chunk of work; Ctrl-C again does not wait for them")
        supervisor.stop(grace=GRACE_SECONDS, hurry=hurried.is_set)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        sys.stdout.flush()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_port(host: str, port: int, option: str, what: str) -> None:
    try:
        owner = port_owner(host, port)
    except OSError as error:
        raise BadInputError(
            f"{what} can not be at {host}:{port}: {error.strerror}; expected an address of this machine and a port "
            f"that you may use, such as --host 127.0.0.1 {option} {USUAL_PORTS[option]}"
        ) from error
    if owner:
        raise UnavailableError(
            f"port {port} is used by {owner.name}; end it, or give {what} another one: batch-jobs up {option} "
            f"{port + 1}"
        )


def _prepare(settings: Settings) -> None:
    """Make a new installation; leave the schema of one that is there to `init`, which a person decides on."""
    from batch_jobs.orchestration.home import prepare_home

    with Database(database_url(settings, note)) as database:
        if schema.version(database) is not None:
            schema.check_version(database)
            for line in prepare_home(settings):
                note(line)
            return
    for line in prepare(settings):
        say(line)


def _check_users(settings: Settings) -> None:
    """No user is made here: a password that a service prints stays in its log."""
    from batch_jobs.access.users import has_admin

    with open_database(settings) as database, database.owner() as connection:
        if not has_admin(connection):
            raise UnavailableError(
                "nobody can sign in yet; make the first user, whose password you will be asked for: batch-jobs users "
                "add NAME --role admin"
            )


def _end_database(settings: Settings) -> None:
    if settings.database_url is None:
        from batch_jobs.store.embedded import EmbeddedServer

        EmbeddedServer(settings).stop_if_unused()
