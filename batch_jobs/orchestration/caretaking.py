"""What the services of an installation do not get over by themselves, noticed and mended while `up` runs."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batch_jobs.errors import UnavailableError
from batch_jobs.orchestration.clock_changes import forget_what_is_to_come
from batch_jobs.orchestration.services import DAEMON
from batch_jobs.orchestration.supervision import Service, Supervisor
from batch_jobs.settings import Settings

if TYPE_CHECKING:
    from dagster._grpc.client import DagsterGrpcClient

LOOK_SECONDS = 2.0
# A clock that is adjusted goes more slowly; one that goes back by more than this was put back.
PUT_BACK_SECONDS = 2.0
ANSWER_SECONDS = 5
# Loading the code takes seconds.
RELOAD_SECONDS = 120
# One answer that fails to come is a server that is busy, or only begins.
PATIENCE_LOOKS = 3

_log = logging.getLogger(__name__)


class Caretaker:
    """Looks after the services, from a thread of its own.

    The embedded database is started again when it has died. A code server that has lost the process with the code in
    it loads the code anew: that process ends by itself when a clock that went forward makes it believe that nobody is
    there any more. After a clock was put back, what Dagster has noted of a time that is still to come is forgotten, and
    the daemon, which waits for that time, is started anew.

    Args:
        settings: the installation.
        sockets: of the code servers.
        restart_daemon: ends the daemon, which is started again.
        tell: told what is done.
        wall_clock: seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        sockets: Sequence[Path],
        *,
        restart_daemon: Callable[[], None],
        tell: Callable[[str], None],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._silent_looks = dict.fromkeys(sockets, 0)
        self._restart_daemon = restart_daemon
        self._tell = tell
        self._wall_clock = wall_clock
        self._ahead = wall_clock() - time.monotonic()
        # It may have been put back while nothing ran.
        self._must_forget = True
        self._trouble: str | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="caretaker", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and wait for the end of a look: it could start what is to be ended.

        Not for that of a reload, which fails once the code server is ended.
        """
        self._ended.set()
        self._thread.join(2 * ANSWER_SECONDS)

    def look(self) -> None:
        """Look once, and mend what is to be mended."""
        self._keep_database()
        self._follow_clock()
        for socket in self._silent_looks:
            self._keep_code(socket)

    def _work(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # the next look may do better
                _log.warning("the services could not be looked after: %s", error)

    def _keep_database(self) -> None:
        if self._settings.database_url is not None:
            return
        from batch_jobs.store.embedded import EmbeddedServer

        server = EmbeddedServer(self._settings)
        if server.is_running():
            return
        try:
            server.ensure_running()
        except UnavailableError as error:
            # It is tried again and again; once is enough to read.
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._tell(self._trouble)
        else:
            self._trouble = None
            self._tell("the database had ended and was started again")

    def _follow_clock(self) -> None:
        ahead = self._wall_clock() - time.monotonic()
        was_put_back, self._ahead = ahead < self._ahead - PUT_BACK_SECONDS, ahead
        if was_put_back:
            self._tell("the clock was put back: the daemon is started anew, so that it does not wait for what was")
            # First, or it would note that time again.
            self._restart_daemon()
            self._must_forget = True
        if self._must_forget:
            if forget_what_is_to_come(self._settings, self._wall_clock()) and not was_put_back:
                self._restart_daemon()
            self._must_forget = False

    def _keep_code(self, socket: Path) -> None:
        from dagster._core.errors import DagsterUserCodeUnreachableError
        from dagster._grpc.client import DagsterGrpcClient

        if not socket.exists():
            return
        client = DagsterGrpcClient(socket=str(socket))
        self._silent_looks[socket] = self._silent_looks[socket] + 1 if _has_no_code(client) else 0
        if self._silent_looks[socket] >= PATIENCE_LOOKS:
            self._silent_looks[socket] = 0
            self._tell("the code server has lost its code and loads it anew")
            # Once the new process has loaded the code it says goodbye to the old one, which fails.
            with contextlib.suppress(DagsterUserCodeUnreachableError):
                client.reload_code(timeout=RELOAD_SECONDS)


@contextlib.contextmanager
def caring(
    settings: Settings, services: Sequence[Service], supervisor: Supervisor, tell: Callable[[str], None]
) -> Iterator[None]:
    """Look after services that a supervisor runs, for the length of a `with` block."""
    (daemon,) = [service for service in services if service.name == DAEMON]
    caretaker = Caretaker(settings, daemon.needs, restart_daemon=lambda: supervisor.restart(DAEMON), tell=tell)
    caretaker.start()
    try:
        yield
    finally:
        caretaker.stop()


def _has_no_code(client: "DagsterGrpcClient") -> bool:
    """Whether the server answers that it can not pass the question on. One that does not answer in time is busy."""
    import grpc
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.__generated__ import dagster_api_pb2

    try:
        client._get_response("Ping", dagster_api_pb2.PingRequest(echo=""), timeout=ANSWER_SECONDS)
    except (grpc.RpcError, DagsterUserCodeUnreachableError) as error:
        cause = error if isinstance(error, grpc.RpcError) else error.__cause__
        return isinstance(cause, grpc.Call) and cause.code() == grpc.StatusCode.UNKNOWN
    return False
