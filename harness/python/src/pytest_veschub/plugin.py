"""The parts that pytest loads: the fixtures, the marker, and the transcript in the report of a failed test."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .hub import Hub

#: The running hubs, each with the number of entries that it had before the current test.
_HUBS = pytest.StashKey[dict[Hub, int]]()

_MARKER = """\
veschub(scenario=None, *, quirks=None, faults=None, set=None, seed=0): describes the hub of the fixture \
`veschub`; scenario is a file, the name of one that comes with the package, YAML text or a dict"""


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_HUBS] = {}


@pytest.fixture
def veschub(request: pytest.FixtureRequest, veschub_factory: Callable[..., Hub]) -> Hub:
    """A hub for this test, as the marker `veschub` says; without the marker, a hub with a demo pack."""
    marker = request.node.get_closest_marker("veschub")
    return veschub_factory(*marker.args, **marker.kwargs) if marker else veschub_factory()


@pytest.fixture
def veschub_factory(request: pytest.FixtureRequest) -> Generator[Callable[..., Hub]]:
    """Starts further hubs that end with the test; takes the same arguments as `Hub`."""
    yield from _factory(request.config, request.path.parent)


@pytest.fixture(scope="session")
def veschub_session_options() -> dict[str, Any]:
    """The arguments of `Hub`, by name, for the fixture `veschub_session`; override this fixture to change them."""
    return {}


@pytest.fixture(scope="session")
def veschub_session(
    request: pytest.FixtureRequest, veschub_session_options: dict[str, Any]
) -> Generator[Hub]:
    """A hub for all tests of the session; with xdist, one for each worker."""
    for start in _factory(request.config, request.config.rootpath):
        yield start(**veschub_session_options)


def _factory(config: pytest.Config, folder: Path) -> Generator[Callable[..., Hub]]:
    hubs = config.stash[_HUBS]
    with ExitStack() as stack:

        def start(*args: Any, **kwargs: Any) -> Hub:
            kwargs.setdefault("folders", (folder, config.rootpath))
            hub = stack.enter_context(Hub(*args, **kwargs))
            hubs[hub] = 0
            stack.callback(hubs.pop, hub)
            return hub

        yield start


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes how many entries the hubs had before the test, so that its report leaves those out."""
    hubs = item.config.stash[_HUBS]
    for hub in hubs:
        hubs[hub] = len(hub.entries())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the transcripts of the hubs to the report of a failed test."""
    report = yield
    if report.failed:
        for hub, since in item.config.stash[_HUBS].items():
            if told := hub.transcript(since):
                report.sections.append((f"VESC hub {hub.host}:{hub.port} ({report.when})", told))
    return report
