package veschub_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"veschub"
	"veschub/control"
)

type words = veschub.Words

// A hub for the whole test, and a device that belongs to it alone.
func begin(t *testing.T) (*veschub.Hub, *veschub.Device) {
	t.Helper()
	hub, err := veschub.Start(context.Background(), veschub.Options{})
	must(t, err)
	t.Cleanup(func() {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	device, err := hub.Create(words{"express": words{"bms": words{"cells": 4, "cell_voltage_v": 3.9}}}, veschub.Harm{})
	must(t, err)
	return hub, device
}

// A tool that may ask: a hub throws away what comes together with the login.
func attached(t *testing.T, hub *veschub.Hub, device *veschub.Device, count int) *tool {
	t.Helper()
	tool := connect(t, hub, device)
	_, err := device.WaitFor(veschub.Wanted{Kind: "attached", Count: count})
	must(t, err)
	return tool
}

func TestAPinnedCellIsInTheNextReply(t *testing.T) {
	hub, device := begin(t)
	tool := attached(t, hub, device, 1)
	if cells := tool.poll(t); len(cells) != 4 || cells[3] == 3100 {
		t.Fatalf("cells are %v", cells)
	}
	must(t, device.Pin("cell_voltages_v", 3.1, veschub.Item(3)))
	if cells := tool.poll(t); cells[3] != 3100 {
		t.Fatalf("cells are %v", cells)
	}
	must(t, device.Release("cell_voltages_v", veschub.Item(3)))
	if cells := tool.poll(t); cells[3] == 3100 {
		t.Fatalf("cells are %v", cells)
	}
}

func TestAFaultIsSeenByTheClientUntilItIsRemoved(t *testing.T) {
	hub, device := begin(t)
	tool := attached(t, hub, device, 1)
	remove, err := device.Fault(words{"duplicate": words{"times": 1}})
	must(t, err)
	tool.ask(t, bmsGetValues)
	if one, other := tool.cells(t), tool.cells(t); one[0] != other[0] {
		t.Fatalf("the copies are %v and %v", one, other)
	}
	_, err = device.WaitFor(veschub.Wanted{Kind: "fault", Name: "duplicate"})
	must(t, err)

	must(t, remove())
	tool.poll(t)
	// The next frame answers the next request: no copy stands before it.
	tool.ask(t, 0)
	if payload, err := tool.frame(); err != nil || payload[0] != 0 {
		t.Fatalf("%v, %v", payload, err)
	}
}

func TestADeviceVanishesAndReturns(t *testing.T) {
	hub, device := begin(t)
	tool := attached(t, hub, device, 1)
	must(t, device.Unplug())
	if _, err := tool.frame(); !errors.Is(err, io.EOF) {
		t.Fatalf("the hub did not close the connection: %v", err)
	}
	if _, err := connect(t, hub, device).frame(); !errors.Is(err, io.EOF) {
		t.Fatalf("the hub did not refuse the login: %v", err)
	}
	must(t, device.Plug())
	attached(t, hub, device, 2).poll(t)
}

func TestTheHubVanishesAndReturnsOnTheSamePort(t *testing.T) {
	hub, device := begin(t)
	tool := attached(t, hub, device, 1)
	must(t, hub.Drop())
	if _, err := tool.frame(); err == nil {
		t.Fatal("the connection is still open")
	}
	if _, err := net.Dial("tcp", hub.Addr()); err == nil {
		t.Fatal("the hub still listens")
	}
	must(t, hub.Restart())
	attached(t, hub, device, 2).poll(t)
}

func TestValuesQuirksAndDevicesChangeWhileTheHubRuns(t *testing.T) {
	hub, device := begin(t)
	must(t, device.Ramp("current_a", 0, 0, "1ms"))
	must(t, device.Pin("cell_voltages_v", 4.1))
	if cell := firstCell(t, device); cell != 4.1 {
		t.Errorf("the cell is at %v V", cell)
	}
	must(t, device.Release(""))
	if cell := firstCell(t, device); cell == 4.1 {
		t.Errorf("the cell is still at %v V", cell)
	}

	remove, err := device.Quirk("session-reset", words{"max_gap": "250ms"})
	must(t, err)
	must(t, remove())
	must(t, device.Reboot())

	same, err := veschub.Connect(context.Background(), hub.API.URL, "")
	must(t, err)
	if same.Addr() != hub.Addr() || same.ID != hub.ID {
		t.Errorf("%s, %s", same.Addr(), same.ID)
	}
}

func firstCell(t *testing.T, device *veschub.Device) any {
	t.Helper()
	values, err := device.Values()
	must(t, err)
	return values["bms"].(words)["cell_voltages_v"].([]any)[0]
}

func TestAHubThatCannotStartSaysWhy(t *testing.T) {
	_, err := veschub.Start(context.Background(), veschub.Options{Scenario: "there-is-none.yaml"})
	if err == nil || !strings.Contains(err.Error(), "there-is-none.yaml") {
		t.Errorf("%v", err)
	}
	_, err = veschub.Start(context.Background(), veschub.Options{Program: "/nowhere/veschub-sim"})
	if err == nil || !strings.Contains(err.Error(), "VESCHUB_BIN") {
		t.Errorf("%v", err)
	}
}

func TestAMistakeGetsTheMessageOfTheHub(t *testing.T) {
	_, device := begin(t)
	err := device.Pin("cell_voltage_v", 3.1)
	var refused *control.Error
	if !errors.As(err, &refused) || refused.Code != "no-such-field" || !strings.Contains(refused.Help, "cell_voltages_v") {
		t.Fatalf("%v", err)
	}

	must(t, device.Remove())
	if err := device.Remove(); !errors.As(err, &refused) || refused.Status != 404 {
		t.Fatalf("%v", err)
	}
}

func TestWhatDoesNotComeIsToldWithWhatCameInstead(t *testing.T) {
	hub, device := begin(t)
	attached(t, hub, device, 1).poll(t)
	wanted := veschub.Wanted{Kind: "frame", Command: "FW_VERSION", Direction: "to-device", Within: "1ms"}
	if _, err := device.WaitFor(wanted); err == nil || !strings.Contains(err.Error(), "nearly: > BMS_GET_VALUES") {
		t.Fatalf("%v", err)
	}
}
