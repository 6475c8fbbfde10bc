"""A pytest plugin for testing clients of VESC devices, with a simulated VESCHub inside."""

from .client import ClientRun, run_client
from .hub import Hub, HubError
from .journal import Entry
from .programs import SCENARIOS

__all__ = ["SCENARIOS", "ClientRun", "Entry", "Hub", "HubError", "run_client"]
