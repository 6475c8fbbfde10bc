"""What the plugin does inside of pytest: reports, scopes, workers."""

import shutil
from pathlib import Path

import pytest

SMALL_TESTS = """
import socket

import pytest

def log_in(hub):
    client = socket.create_connection((hub.host, hub.port), timeout=30)
    client.sendall(f"VESCTOOL:{hub.id}:{hub.password}\\n".encode())
    return client

def ask_firmware(hub):
    seen = sum(entry.kind == "attached" for entry in hub.entries())
    with log_in(hub) as client:
        hub.wait_for("attached", count=seen + 1, timeout=30)
        client.sendall(bytes.fromhex("02 01 00 00 00 03"))
        assert client.recv(1)
"""


def test_a_test_that_fails_is_reported_with_the_transcript(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        SMALL_TESTS
        + """
@pytest.mark.veschub(set={"devices.0.express.firmware": "7.00"})
def test_fails(veschub):
    ask_firmware(veschub)
    assert veschub.truth("FW_VERSION")["firmware"] == "6.06"

def test_passes(veschub):
    ask_firmware(veschub)
"""
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ test_fails _*",
            "*VESC hub 127.0.0.1:* (call)*",
            "*login VESCTOOL:DEMO-0001:[*][*][*]",
            "*> FW_VERSION",
            '*< FW_VERSION firmware="7.00"*',
        ]
    )
    assert str(result.stdout).count("(call)") == 1
    result.stdout.no_fnmatch_line("*not-a-secret*")


def test_the_session_hub_is_shared_and_a_report_tells_its_own_test_only(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        SMALL_TESTS
        + """
PORTS = set()

@pytest.fixture(scope="session")
def veschub_session_options():
    return {"scenario": "pack-of-50-cells"}

def test_one(veschub_session):
    PORTS.add(veschub_session.port)
    ask_firmware(veschub_session)

def test_two(veschub_session):
    PORTS.add(veschub_session.port)
    ask_firmware(veschub_session)
    assert len(PORTS) == 1 and len(veschub_session.requests()) == 2
    assert False, "to see the report"
"""
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*to see the report*"])
    assert str(result.stdout).count("> FW_VERSION") == 1


def test_hubs_of_a_factory_are_apart(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        SMALL_TESTS
        + """
def test_two_hubs(veschub_factory, veschub):
    other = veschub_factory(set={"devices.0.express.id": "other"})
    assert other.port != veschub.port and other.id == "OTHER"
    ask_firmware(other)
    assert len(other.requests()) == 1 and not veschub.requests()
"""
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_a_scenario_is_found_beside_the_test(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("deeper")
    test = folder / "test_mine.py"
    test.write_text(
        'import pytest\n\n@pytest.mark.veschub("mine.yaml")\n'
        'def test_mine(veschub):\n    assert veschub.id == "MINE"\n'
    )
    (folder / "mine.yaml").write_text(
        "version: 1\ndevices:\n  - express: { id: mine, password: not-a-secret }\n"
    )
    pytester.runpytest("--strict-markers").assert_outcomes(passed=1)


def test_a_mistake_in_a_scenario_is_an_error_with_its_place(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.veschub({"devices": [{"express": {"id": "a", "password": "b", "bms": {"cels": 3}}}]})
        def test_mine(veschub):
            pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*HubError: the hub did not start*", "*cels*"])


def test_workers_do_not_meet(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        SMALL_TESTS
        + """
@pytest.mark.parametrize("number", range(8))
def test_own_hub(veschub, number):
    ask_firmware(veschub)
    assert len(veschub.requests()) == 1

@pytest.mark.parametrize("number", range(4))
def test_session_hub(veschub_session, number):
    ask_firmware(veschub_session)

def test_fails(veschub):
    ask_firmware(veschub)
    assert False
"""
    )
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=12, failed=1)
    result.stdout.fnmatch_lines(["*VESC hub 127.0.0.1:*", "*> FW_VERSION"])


def test_the_tests_of_the_readme_pass(pytester: pytest.Pytester) -> None:
    readme = Path(__file__).parent.parent / "README.md"
    page = readme.read_text(encoding="utf-8").split("```python\n")
    blocks = [block.split("```")[0] for block in page[1:]]
    for number, block in enumerate(blocks):
        pytester.path.joinpath(f"test_readme_{number}.py").write_text(block)
    shutil.copy(Path(__file__).with_name("tool.py"), pytester.path / "my_client.py")
    pytester.makeconftest(
        """
import pytest
from my_client import Battery

@pytest.fixture
def battery(veschub):
    battery = Battery(veschub)
    yield battery
    battery.close()
"""
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    assert result.ret == 0
    lines = [line for line in blocks[0].splitlines() if line]
    assert len(lines) <= 10
