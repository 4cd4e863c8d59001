"""The web server with a login, for the tests of a file."""

from collections.abc import Iterator

import pytest

from batch_jobs_tests.orchestration.installation import Installation
from batch_jobs_tests.orchestration.web.served import Served, serving


@pytest.fixture(scope="module")
def served(installation: Installation) -> Iterator[Served]:
    with serving(installation) as started:
        yield started
