"""An integration for Home Assistant, tested against a simulated battery."""

import pytest
from custom_components.vesc_battery import DOMAIN, SCAN_INTERVAL
from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.util.dt import utcnow
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed


@pytest.fixture(autouse=True)
def _this_integration(enable_custom_integrations):
    """Home Assistant finds custom_components only if it is asked to."""


def where(veschub):
    return {
        "host": veschub.host,
        "port": veschub.port,
        "device": veschub.id,
        "password": veschub.password,
    }


@pytest.fixture
async def entry(hass, socket_enabled, veschub):
    """The integration, set up for the battery of this test."""
    entry = MockConfigEntry(domain=DOMAIN, data=where(veschub))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


async def next_reading(hass):
    """Home Assistant believes that it is time to read. `freezer` would stop the clock that the client waits by."""
    async_fire_time_changed(hass, utcnow() + SCAN_INTERVAL)
    await hass.async_block_till_done()


def volts(hass, name):
    return float(hass.states.get(f"sensor.{name}").state)


async def test_it_becomes_unavailable_and_comes_back(hass, entry, veschub):
    assert volts(hass, "pack_voltage") == pytest.approx(veschub.truth()["total_voltage_v"])

    veschub.drop()  # every connection is closed, and nobody can connect
    await next_reading(hass)
    assert hass.states.get("sensor.pack_voltage").state == STATE_UNAVAILABLE

    veschub.restart()  # the same port, the same battery
    await next_reading(hass)
    assert volts(hass, "pack_voltage") == pytest.approx(veschub.truth()["total_voltage_v"])


async def test_a_weak_cell_is_seen(hass, entry, veschub):
    assert volts(hass, "weakest_cell") > 3
    veschub.pin("cell_voltages_v", 2.7, item=4)
    await next_reading(hass)
    assert volts(hass, "weakest_cell") == 2.7


@pytest.mark.veschub(faults=[{"split": {"every_byte": True}}])
async def test_a_reply_in_pieces_is_read(hass, entry, veschub):
    veschub.check_reading({"total_voltage_v": volts(hass, "pack_voltage")})


async def test_a_wrong_password_is_told(hass, socket_enabled, veschub):
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data=where(veschub) | {"password": "wrong"}
    )
    assert flow["errors"] == {"base": "cannot_connect"}
    assert veschub.wait_for("login-refused")
