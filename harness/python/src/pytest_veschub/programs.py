"""The two programs and the scenarios that come with the package."""

import os
import sys
from pathlib import Path
from typing import Never

_HERE = Path(__file__).parent

#: The folder of the scenarios that come with the package. Each shows one behaviour, which its file name says.
SCENARIOS = _HERE / "data" / "scenarios"


def program(name: str) -> Path:
    """The path of `veschub-sim` or `veschub-harness`, in the folder $VESCHUB_BIN if that is set.

    Raises FileNotFoundError if there is no such file.
    """
    folder = Path(os.environ.get("VESCHUB_BIN") or _HERE / "bin")
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}: install the wheel, or set VESCHUB_BIN to the folder with the program"
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
