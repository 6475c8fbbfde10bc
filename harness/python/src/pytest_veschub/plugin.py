"""What pytest finds: the fixtures, the marker, and the transcript in the report of a test that failed."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .hub import Hub

#: The hubs that are up, each with how many of its entries are not of the present test.
_HUBS = pytest.StashKey[dict[Hub, int]]()

_MARKER = """\
veschub(scenario=None, *, quirks=None, faults=None, set=None, seed=0): what the hub of the fixture `veschub` is to be; \
scenario is a file, the name of one that comes with the package, YAML text or a dict"""


def pytest_configure(config: pytest.Config) -> None:
    """Tells pytest of the marker."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_HUBS] = {}


@pytest.fixture
def veschub(request: pytest.FixtureRequest, veschub_factory: Callable[..., Hub]) -> Hub:
    """A hub of the test's own, as the marker `veschub` says; without it, one with a demo pack."""
    marker = request.node.get_closest_marker("veschub")
    return veschub_factory(*marker.args, **marker.kwargs) if marker else veschub_factory()


@pytest.fixture
def veschub_factory(request: pytest.FixtureRequest) -> Generator[Callable[..., Hub]]:
    """Starts hubs that end with the test: takes what `Hub` takes."""
    yield from _factory(request.config, request.path.parent)


@pytest.fixture(scope="session")
def veschub_session_options() -> dict[str, Any]:
    """What the hub of `veschub_session` is to be, as arguments of `Hub` by name; to be overridden."""
    return {}


@pytest.fixture(scope="session")
def veschub_session(
    request: pytest.FixtureRequest, veschub_session_options: dict[str, Any]
) -> Generator[Hub]:
    """A hub for all tests of the session; under xdist one for each worker."""
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
    """Notes what happened before the test: its report is not to tell that."""
    hubs = item.config.stash[_HUBS]
    for hub in hubs:
        hubs[hub] = len(hub.entries())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attaches what happened at the hubs to the report of a test that failed."""
    report = yield
    if report.failed:
        for hub, since in item.config.stash[_HUBS].items():
            if told := hub.transcript(since):
                report.sections.append((f"VESC hub {hub.host}:{hub.port} ({report.when})", told))
    return report
