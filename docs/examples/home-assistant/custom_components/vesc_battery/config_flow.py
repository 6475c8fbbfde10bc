"""Asks the user where the battery is, and tries to read it."""

from typing import Any

import voluptuous as vol
from homeassistant.config_entries import ConfigFlow
from homeassistant.data_entry_flow import FlowResult

from . import DOMAIN
from .client import Client

FIELDS = {"host": str, "port": int, "device": str, "password": str}


class BatteryFlow(ConfigFlow, domain=DOMAIN):
    """The only step: host and port of the hub, id and password of the device."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> FlowResult:
        errors = {}
        if user_input is not None:
            client = Client(**user_input)
            try:
                await client.read()
            except (OSError, EOFError, TimeoutError):
                errors["base"] = "cannot_connect"
            else:
                return self.async_create_entry(title=user_input["device"], data=user_input)
            finally:
                client.close()
        schema = vol.Schema({vol.Required(name): kind for name, kind in FIELDS.items()})
        return self.async_show_form(step_id="user", data_schema=schema, errors=errors)
