"""A pytest plugin for testing clients of VESC devices, with a simulated VESCHub inside."""

from .client import ClientRun, run_client
from .control import Control, ControlError
from .hub import Hub, HubError
from .journal import Entry
from .programs import SCENARIOS

__all__ = [
    "SCENARIOS",
    "ClientRun",
    "Control",
    "ControlError",
    "Entry",
    "Hub",
    "HubError",
    "run_client",
]
