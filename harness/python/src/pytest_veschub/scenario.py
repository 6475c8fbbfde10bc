"""Finds a scenario: a file, a scenario that comes with the package, YAML text, or a mapping."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .programs import SCENARIOS

#: A path, the name of a scenario that comes with the package, YAML text, or the same content as a mapping.
Scenario: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]

#: A quirk or a fault: its name, or a mapping from its name to its parameters.
Switch: TypeAlias = str | Mapping[str, Any]


def find(scenario: Scenario, scratch: Path, *folders: Path) -> Path:
    """The scenario as a file.

    Text and mappings are written to a file in the folder `scratch`, so they cannot use relative paths. A relative path
    is looked for in `folders`, then in the current folder. Raises FileNotFoundError if there is no such file.
    """
    if isinstance(scenario, Mapping):
        return _write(scratch, json.dumps({"version": 1, **scenario}))
    if isinstance(scenario, str) and ("\n" in scenario or scenario.lstrip().startswith("{")):
        return _write(scratch, scenario)
    candidates = [folder / scenario for folder in (*folders, Path())]
    candidates.append(SCENARIOS / f"{os.fspath(scenario)}.yaml")
    for path in candidates:
        if path.is_file():
            return path
    looked = ", ".join(str(path) for path in candidates)
    raise FileNotFoundError(f"there is no scenario {os.fspath(scenario)}: looked for {looked}")


def _write(scratch: Path, text: str) -> Path:
    # JSON is valid YAML. Each hub or run has a folder of its own, and a run may have several scenarios.
    path = scratch / f"scenario-{len(list(scratch.iterdir())) + 1}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def settings(
    values: Mapping[str, Any] | None,
    quirks: Iterable[Switch] | None = None,
    faults: Iterable[Switch] | None = None,
) -> list[str]:
    """The values that replace those of a scenario, as arguments: `--set PATH=VALUE` for each."""
    replaced = dict(values or {})
    for key, switches in (("quirks", quirks), ("faults", faults)):
        if switches is not None:
            replaced[key] = [{one: {}} if isinstance(one, str) else dict(one) for one in switches]
    return [
        argument
        for path, value in replaced.items()
        for argument in ("--set", f"{path}={json.dumps(value)}")
    ]
