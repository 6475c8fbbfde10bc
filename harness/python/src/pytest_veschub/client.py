"""Whole client programs, judged by `veschub-harness run --client`."""

import json
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import scenario as scenarios
from .aside import aside
from .hub import HubError
from .programs import SCENARIOS, program
from .scenario import Scenario


@dataclass(frozen=True)
class ClientRun:
    """The result of a client program, scenario by scenario."""

    passed: int
    failed: int
    skipped: int
    #: Still running at the time limit.
    timed_out: int
    crashed: int
    not_applicable: int
    #: A JSON object for each scenario, with `scenario`, `verdict`, `sent`, `understood`, `readings` and more.
    runs: list[dict[str, Any]]

    def check(self) -> None:
        """Raises AssertionError with all mistakes if a scenario failed or no scenario was judged."""
        __tracebackhide__ = True
        wrong = self.failed + self.timed_out + self.crashed
        if wrong == 0 and self.passed > 0:
            return
        told = [f"{self.passed} passed, {wrong} failed, {self.skipped} skipped"]
        for run in self.runs:
            if run["verdict"] == "passed":
                continue
            told.append(
                f"{run['scenario']}: {run['verdict']}: {run.get('skipped', '')}".rstrip(": ")
            )
            for part in ("sent", "understood"):
                for one in run[part]:
                    told.append(
                        f"  {part}: {one['field']}: wanted {one['truth']}, got {one['decoded']}: {one['why']}"
                    )
        raise AssertionError("\n".join(told))


def run_client(
    command: str | Sequence[str],
    *scenario: Scenario,
    set: Mapping[str, Any] | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    link: str = "hub",
) -> ClientRun:
    """Runs a program as the client of these scenarios, or of all scenarios that come with the package.

    `docs/clients.md` in the project says what the program is told and what it must print. `command` may contain
    `{host}`, `{port}`, `{id}`, `{password}` and `{task}`; it is started without a shell. `time_limit` is in seconds,
    for each scenario. `link` says what is between the program and the device: `hub`, `direct` or `pty`.

    Raises HubError if the command or a scenario cannot be used. It does not raise if the client fails: call `check`.
    """
    if not isinstance(command, str):
        command = shlex.join(command)
    with tempfile.TemporaryDirectory(prefix="veschub-") as scratch:
        paths = [scenarios.find(one, Path(scratch)) for one in scenario] or [SCENARIOS]
        arguments: list[str | Path] = [
            program("veschub-harness"),
            *("run", "--json", "--client", command, "--seed", str(seed), "--link", link),
            *scenarios.settings(set),
            *paths,
        ]
        if time_limit is not None:
            arguments += ["--time-limit", f"{time_limit * 1e3:.0f}ms"]
        done = aside(lambda: subprocess.run(arguments, capture_output=True, check=False))
    if done.returncode not in (0, 1, 3):
        raise HubError(done.stderr.decode(errors="replace"))
    *runs, counts = map(json.loads, done.stdout.splitlines())
    return ClientRun(runs=runs, **counts)
