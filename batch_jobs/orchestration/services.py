"""What an installation runs: a code server for each code location, the daemon, the web server."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from batch_jobs.errors import BadInputError
from batch_jobs.orchestration.supervision import Service
from batch_jobs.settings import PROJECT_FOLDER, Settings

WORKSPACE_FILE = "workspace.yaml"
DAEMON = "daemon"
# For this machine's own addresses, which no proxy of the environment reaches.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def orchestrator_services(
    folder: Path, *, host: str, port: int, auth: bool = False, project: Path = PROJECT_FOLDER
) -> list[Service]:
    """The programs, in the order of their start.

    Each Python module of workspace.yaml gets one code server, which daemon and web server share: without it each of
    them would load the code for itself, and a reload in the UI would reach only one of the two.

    Args:
        folder: where the sockets go, with a short name: a socket's path has at most some hundred characters.
        host: address of the web server.
        port: its port.
        auth: whether it is the web server with a login.
        project: the folder with workspace.yaml.

    Raises:
        BadInputError: workspace.yaml asks of a Python module what a code server started here does not do.
    """
    known = yaml.safe_load((project / WORKSPACE_FILE).read_text())["load_from"]
    services: list[Service] = []
    shared: list[Mapping[str, Any]] = []
    sockets: list[Path] = []
    for number, location in enumerate(known):
        module = location.get("python_module")
        if module is None:
            shared.append(location)
            continue
        (module_name, name), socket = _read_module(module), folder / f"{number}.sock"
        sockets.append(socket)
        services.append(Service(name if len(known) > 1 else "code", _code_server(module_name, name, socket)))
        shared.append({"grpc_server": {"socket": str(socket), "location_name": name}})
    workspace = folder / WORKSPACE_FILE
    workspace.write_text(yaml.safe_dump({"load_from": shared}))
    chosen = ["--workspace", str(workspace)]
    address = ["--host", host, "--port", str(port)]
    web = "batch_jobs.orchestration.web" if auth else "dagster_webserver"
    return [
        *services,
        Service(DAEMON, [sys.executable, "-m", "dagster._daemon", "run", *chosen], needs=sockets),
        Service("web", [sys.executable, "-m", web, *address, *chosen], needs=sockets),
    ]


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables by which the programs find the installation."""
    found = {**os.environ, "BATCH_JOBS_HOME": str(settings.home), "DAGSTER_HOME": str(settings.dagster_home)}
    # Their output goes through a pipe, where Python would keep it back for long.
    return found | {"PYTHONUNBUFFERED": "1"}


def answers(url: str) -> bool:
    """Whether the web server of a URL is ready."""
    try:
        with DIRECT.open(f"{url}/server_info", timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        # The server with a login is there when it asks who is there.
        return error.code == HTTPStatus.UNAUTHORIZED
    except OSError:
        return False


def _read_module(module: str | Mapping[str, str]) -> tuple[str, str]:
    """The module and the name of its location, by default the module's, as Dagster has it."""
    if isinstance(module, str):
        return module, module
    name = module.get("module_name")
    unknown = sorted(set(module) - {"module_name", "location_name"})
    if name is None or unknown:
        found = f"{', '.join(unknown)}, which `batch-jobs up` does not pass on" if unknown else "no module_name"
        raise BadInputError(
            f"{WORKSPACE_FILE}: python_module {name or ''} has {found}; expected module_name and, if need be, "
            "location_name. Leave the rest out, or start a code server for it yourself and name that as grpc_server"
        )
    return name, module.get("location_name") or name


def _code_server(module: str, location: str, socket: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "dagster", "code-server", "start"),
        *("--module-name", module, "--location-name", location, "--socket", str(socket)),
        *("--use-python-environment-entry-point", "--log-level", "warning"),
    ]
