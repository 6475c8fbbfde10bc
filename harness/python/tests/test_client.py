"""Whole programs as clients."""

import sys
from pathlib import Path

import pytest

from pytest_veschub import HubError, run_client

TWO_CELLS = {
    "devices": [{"express": {"id": "two", "password": "not-a-secret", "bms": {"cells": 2}}}],
    "client": {"read-bms": {}},
}


@pytest.fixture(scope="session")
def forty_lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client that the page for authors of clients shows."""
    page = Path(__file__).parents[3] / "docs" / "clients.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    path = tmp_path_factory.mktemp("client") / "client.py"
    path.write_text(code, encoding="utf-8")
    return path


def test_a_client_of_forty_lines_passes(forty_lines: Path) -> None:
    run = run_client([sys.executable, str(forty_lines)], "pack-of-20-cells", TWO_CELLS)
    run.check()
    assert (run.passed, run.failed, run.skipped) == (2, 0, 0)
    assert [len(one["readings"]) for one in run.runs] == [1, 1]


def test_a_client_that_misunderstands_fails_with_the_name_of_the_mistake(
    forty_lines: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(forty_lines.read_text().replace("raw / 1e3", "raw / 1e2"))
    run = run_client([sys.executable, str(wrong)], TWO_CELLS)
    with pytest.raises(AssertionError, match="10 times too large") as failure:
        run.check()
    assert "0 passed, 1 failed, 0 skipped" in str(failure.value)


def test_nothing_judged_is_no_success() -> None:
    run = run_client([sys.executable, "-c", "raise SystemExit(77)"], TWO_CELLS)
    assert run.skipped == 1
    with pytest.raises(AssertionError, match="skipped: the client cannot do read-bms"):
        run.check()


def test_a_program_that_drives_a_motor_is_judged_by_what_it_sets() -> None:
    client = Path(__file__).parents[3] / "docs" / "examples" / "client.py"
    motor = {"motor": {"can_id": 84, "input_voltage_v": 46.8}}
    devices = [{"express": {"id": "one", "password": "not-a-secret", "can": [motor]}}]
    scenario = {
        "hub": {"profile": "ideal"},
        "devices": devices,
        "client": {"drive": {"can_id": 84, "current_a": 5, "for": "500ms"}},
    }
    for link in ("hub", "direct", "pty"):
        run_client([sys.executable, str(client)], scenario, link=link).check()


def test_a_program_that_sets_the_wrong_unit_fails(tmp_path: Path) -> None:
    client = Path(__file__).parents[3] / "docs" / "examples" / "client.py"
    wrong = tmp_path / "wrong.py"
    wrong.write_text(client.read_text().replace("(SET_CURRENT, 1e3)", "(SET_CURRENT, 1e6)"))
    motor = {"motor": {"can_id": 84, "input_voltage_v": 46.8}}
    scenario = {
        "devices": [{"express": {"id": "one", "password": "not-a-secret", "can": [motor]}}],
        "client": {"drive": {"can_id": 84, "current_a": 5, "for": "500ms"}},
    }
    run = run_client([sys.executable, str(wrong)], scenario)
    with pytest.raises(AssertionError, match="1000 times too large"):
        run.check()


def test_a_client_that_hangs_is_ended_at_the_time_limit() -> None:
    hang = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    run = run_client(hang, TWO_CELLS, time_limit=0.2)
    assert (run.failed, run.timed_out) == (0, 1)


def test_a_scenario_that_cannot_be_used_is_an_error() -> None:
    with pytest.raises(HubError, match="cels"):
        run_client("true", {**TWO_CELLS, "cels": 1})
