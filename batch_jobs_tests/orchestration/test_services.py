"""What `up` makes of workspace.yaml, and how it asks whether the web server is there."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from dagster._core.workspace.load import location_origins_from_config

from batch_jobs.errors import BadInputError
from batch_jobs.orchestration.services import answers, orchestrator_services
from batch_jobs_tests.orchestration.services import free_port


def served(folder: Path, load_from: list[object]) -> list[str]:
    """The names of the locations that daemon and web server share."""
    (folder / "sockets").mkdir()
    (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": load_from}))
    orchestrator_services(folder / "sockets", host="127.0.0.1", port=3000, project=folder)
    shared = yaml.safe_load((folder / "sockets" / "workspace.yaml").read_text())
    return list(location_origins_from_config(shared, "workspace.yaml"))


def test_locations_have_the_names_that_dagster_gives_them(tmp_path: Path) -> None:
    locations: list[object] = [
        {"python_module": "payroll.definitions"},
        {"python_module": {"module_name": "ours.definitions"}},
        {"python_module": {"module_name": "batch_jobs.definitions", "location_name": "batch_jobs"}},
        {"grpc_server": {"host": "127.0.0.1", "port": 4000, "location_name": "afar"}},
    ]
    expected = list(location_origins_from_config({"load_from": locations}, "workspace.yaml"))
    assert expected == ["payroll.definitions", "ours.definitions", "batch_jobs", "afar"]
    assert served(tmp_path, locations) == expected


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ({"module_name": "m", "working_directory": "/srv", "attribute": "a"}, "m has attribute, working_directory"),
        ({"location_name": "m"}, "no module_name"),
    ],
)
def test_what_a_code_server_would_not_do_is_refused(tmp_path: Path, module: dict[str, str], said: str) -> None:
    with pytest.raises(BadInputError, match=f"workspace.yaml: python_module .*{said}.*grpc_server"):
        served(tmp_path, [{"python_module": module}])


class _Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/server_info" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_no_proxy_is_asked_whether_the_web_server_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with HTTPServer(("127.0.0.1", 0), _Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert answers(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
