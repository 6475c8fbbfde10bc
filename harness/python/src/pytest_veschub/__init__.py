"""A fake VESCHub for the tests of clients of VESC devices: a pytest plugin with the simulator inside."""

from .client import ClientRun, run_client
from .hub import Hub, HubError
from .journal import Entry
from .programs import SCENARIOS

__all__ = ["SCENARIOS", "ClientRun", "Entry", "Hub", "HubError", "run_client"]
