"""`batch-jobs up` without the web server, and with the hasty daemon: kept running as an operator's machine does.

Argument: a folder for sockets. Ends when its input ends.
"""

import sys
import threading
from pathlib import Path

from batch_jobs.orchestration.caretaking import caring
from batch_jobs.orchestration.services import DAEMON, WORKSPACE_FILE, environment_of, orchestrator_services
from batch_jobs.orchestration.supervision import Service, Supervisor
from batch_jobs.settings import PROJECT_FOLDER, read_settings

LOOK_SECONDS = 0.2


def main() -> None:
    """Supervise until the input ends."""
    folder, settings = Path(sys.argv[1]), read_settings()
    code, daemon, _ = orchestrator_services(folder, host="127.0.0.1", port=0)
    hasty = [sys.executable, "-m", "batch_jobs_tests.faults.hasty_daemon", str(folder / WORKSPACE_FILE)]
    services = [code, Service(DAEMON, hasty, needs=daemon.needs)]
    supervisor = Supervisor(
        services,
        environment=environment_of(settings),
        folder=PROJECT_FOLDER,
        logs=settings.home / "logs",
        show=lambda name, line: print(f"{name} | {line}", flush=True),
    )
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    try:
        with caring(settings, services, supervisor, lambda line: print(f"up | {line}", flush=True)):
            while not ended.wait(LOOK_SECONDS):
                supervisor.look()
    finally:
        supervisor.stop(grace=10)


if __name__ == "__main__":
    main()
