"""A hub is changed while a client uses it."""

import asyncio
import socket
from collections.abc import Callable
from decimal import Decimal

import pytest
from pytest_socket import SocketBlockedError

from pytest_veschub import ControlError, Hub
from tool import BMS_GET_VALUES, TIMEOUT, Battery, Tool, attached, bms


def test_it_vanishes_is_unavailable_and_returns_on_the_same_port(veschub: Hub) -> None:
    battery, port = Battery(veschub), veschub.port
    battery.update()
    assert battery.available
    veschub.drop()
    battery.update()
    assert not battery.available
    # It stays away until it is wanted back.
    battery.update()
    assert not battery.available
    veschub.restart()
    assert veschub.port == port
    battery.update()
    assert battery.available
    battery.close()


def test_a_device_that_is_unplugged_throws_its_tool_out_and_comes_back(veschub: Hub) -> None:
    with attached(veschub) as tool:
        veschub.control.unplug()
        assert tool.receive() == b""
    with Tool(veschub) as refused:
        assert refused.receive() == b""
    veschub.wait_for("login-refused", timeout=TIMEOUT)
    veschub.control.plug()
    with attached(veschub) as tool:
        assert tool.ask(BMS_GET_VALUES)


def test_a_pinned_cell_is_what_the_next_reading_has(veschub: Hub) -> None:
    with attached(veschub) as tool:
        before = bms(tool.ask(BMS_GET_VALUES))["cell_voltages_v"]
        veschub.pin("cell_voltages_v", 3.1, item=4)
        after = bms(tool.ask(BMS_GET_VALUES))["cell_voltages_v"]
        assert after[4] == 3.1
        assert before[4] != 3.1
        veschub.control.release("cell_voltages_v")
        assert bms(tool.ask(BMS_GET_VALUES))["cell_voltages_v"][4] != 3.1
    assert [entry.text for entry in veschub.entries() if entry.kind == "steered"]


def test_a_fault_is_there_in_its_block_and_gone_behind_it(veschub: Hub) -> None:
    with attached(veschub) as tool:
        with veschub.fault({"duplicate": {"times": 1}}, device=veschub.id):
            first = tool.ask(BMS_GET_VALUES)
            assert tool.receive() == first
            (fault,) = veschub.control.faults()
            assert fault["fired"] == 1
        assert veschub.control.faults() == []
        tool.send(BMS_GET_VALUES)
        tool.send(0)
        assert tool.receive()[0] == BMS_GET_VALUES
        assert tool.receive()[0] == 0


def test_a_quirk_is_there_in_its_block_and_gone_behind_it(veschub: Hub) -> None:
    with attached(veschub) as tool:
        with veschub.control.quirk("needs-setup"):
            tool.send(BMS_GET_VALUES)
            assert veschub.wait_for("quirk", timeout=TIMEOUT).name == "needs-setup"
        assert tool.ask(BMS_GET_VALUES)


def test_devices_come_and_go(veschub: Hub) -> None:
    pack = {"express": {"id": "second", "password": "not-a-secret", "bms": {"cells": 3}}}
    name = veschub.control.create(pack)
    assert name == "SECOND"
    assert {device["id"] for device in veschub.control.devices()} == {"DEMO-0001", "SECOND"}
    values = veschub.control.values(device=name)
    assert len(values["bms"]["cell_voltages_v"]) == 3
    veschub.control.remove(name)
    assert [device["id"] for device in veschub.control.devices()] == ["DEMO-0001"]


def test_time_can_stand_still(veschub: Hub) -> None:
    at = veschub.control.clock(paused=True)["at"]
    veschub.control.step("1500ms")
    assert veschub.control.clock()["at"] == pytest.approx(at + 1.5)


def test_what_was_changed_is_in_the_scenario(
    veschub: Hub, veschub_factory: Callable[..., Hub]
) -> None:
    veschub.pin("cell_voltages_v", 3.1, item=0)
    again = veschub_factory(veschub.control.scenario())
    with attached(again) as tool:
        assert tool.ask(BMS_GET_VALUES)


def test_a_change_that_cannot_be_made_says_why(veschub: Hub) -> None:
    with pytest.raises(ControlError, match="cell_voltages_v") as wrong:
        veschub.pin("cell_voltage_v", 3.1)
    assert wrong.value.status == 400
    with pytest.raises(ControlError, match="DEMO-0001") as missing:
        veschub.control.unplug("demo-001")
    assert missing.value.status == 404


def test_a_hub_without_control_says_so(veschub_factory: Callable[..., Hub]) -> None:
    hub = veschub_factory(control=False)
    with pytest.raises(ControlError, match="control=False"):
        hub.drop()


@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_it_works_where_sockets_are_blocked_for_the_test(
    veschub: Hub, socket_disabled: None
) -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket()
    veschub.pin("current_a", -3)
    assert veschub.control.values()["bms"]["current_a"] == -3


def test_an_async_test_waits_without_blocking(veschub: Hub) -> None:
    async def session() -> float:
        with await asyncio.to_thread(attached, veschub) as tool:
            await asyncio.to_thread(veschub.pin, "current_a", 2.5)
            reply = await asyncio.to_thread(tool.ask, BMS_GET_VALUES)
        return float(bms(reply)["current_a"])

    assert asyncio.run(session()) == 2.5


def test_readings_may_be_decimals_and_have_a_tolerance(veschub: Hub) -> None:
    with attached(veschub) as tool:
        volts = bms(tool.ask(BMS_GET_VALUES))["total_voltage_v"]
    veschub.check_reading({"total_voltage_v": Decimal(str(volts))})
    with pytest.raises(AssertionError):
        veschub.check_reading({"total_voltage_v": volts + 0.04})
    veschub.check_reading({"total_voltage_v": volts + 0.04}, tolerance={"total_voltage_v": 0.05})


def test_a_text_where_a_list_is_wanted_is_a_mistake(veschub: Hub) -> None:
    with attached(veschub) as tool:
        tool.ask(BMS_GET_VALUES)
    with pytest.raises(AssertionError):
        veschub.check_reading({"cell_voltages_v": "3.9, 4.0"})


def test_a_kind_that_does_not_exist_is_no_wait(veschub: Hub) -> None:
    with pytest.raises(ValueError, match="did you mean attached"):
        veschub.wait_for("atached")
