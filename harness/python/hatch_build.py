"""Builds veschub-harness with cargo and puts it into the wheel, together with the scenarios."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

PROGRAM = "veschub-harness"
#: Stands for the other program, which PROGRAM holds as well.
SCRIPT = "veschub-sim.sh"
DATA = ("scenarios", "captures")
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")


class Programs(BuildHookInterface):  # type: ignore[misc, unused-ignore]
    """The build hook; hatchling finds it because it is the only one in this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the program, the script, the data and the licences to the wheel.

        `version` is hatchling's `standard` or `editable`. `build_data` has `force_include`, a mapping of paths here to
        paths in the wheel, and `tag`, the wheel's `python-abi-platform`.
        """
        workspace = Path(self.root).parent.parent
        built = build(workspace)
        include = build_data["force_include"]
        include[str(built / PROGRAM)] = f"pytest_veschub/bin/{PROGRAM}"
        include[str(Path(self.root) / SCRIPT)] = f"pytest_veschub/bin/{Path(SCRIPT).stem}"
        for folder in DATA:
            include[str(workspace / folder)] = f"pytest_veschub/data/{folder}"
        for licence in LICENCES:
            include[str(workspace / licence)] = f"pytest_veschub/{licence}"
        build_data["tag"] = f"py3-none-{platform()}"
        build_data["pure_python"] = False


def platform() -> str:
    """The platform tag of the wheel: the program needs the C library of this machine or a newer one."""
    tags = list(platform_tags())
    return next((tag for tag in tags if tag.startswith("manylinux")), tags[0])


def build(workspace: Path) -> Path:
    """Builds the program if it is not up to date, and returns its folder."""
    cargo = os.environ.get("CARGO", "cargo")
    package = f"--package={PROGRAM}"
    subprocess.run([cargo, "build", "--release", "--locked", package], cwd=workspace, check=True)
    metadata = subprocess.run(
        [cargo, "metadata", "--format-version=1", "--no-deps", "--locked"],
        cwd=workspace,
        check=True,
        stdout=subprocess.PIPE,
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release"
