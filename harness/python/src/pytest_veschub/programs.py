"""The two programs that come with the package, and what they come with."""

import os
import sys
from pathlib import Path
from typing import Never

_HERE = Path(__file__).parent

#: The scenarios that come with the package: one behaviour each, the file name says which.
SCENARIOS = _HERE / "data" / "scenarios"


def program(name: str) -> Path:
    """The path of `veschub-sim` or `veschub-harness`; in the folder $VESCHUB_BIN, if that is set.

    Raises FileNotFoundError if it is not there.
    """
    folder = Path(os.environ.get("VESCHUB_BIN") or _HERE / "bin")
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there: install the wheel, or set VESCHUB_BIN to a folder that has the program"
        )
    return path


def _become(name: str) -> Never:
    path = program(name)
    os.execv(path, [name, *sys.argv[1:]])


def sim() -> Never:
    """The command `veschub-sim`."""
    _become("veschub-sim")


def harness() -> Never:
    """The command `veschub-harness`."""
    _become("veschub-harness")
