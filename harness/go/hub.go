// Package veschub starts a simulated VESCHub, and watches and steers it while it runs.
//
// Words and durations are those of scenarios: "250ms", "2.6s". The package control has all routes of the control API.
package veschub

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"veschub/control"
)

// Words are those of a scenario: Words{"delay": Words{"by": "250ms"}}.
type Words = map[string]any

// Hub is a hub that runs. Its methods are about all devices; those of a Device are about that device.
type Hub struct {
	watched
	// Host and Port say where tools connect.
	Host string
	Port int
	// Device is the first device.
	Device *Device
	// ID and Password are those of the first device.
	ID, Password string
	program      *program
}

// Start starts a hub on free ports of 127.0.0.1. It ends with Close, with this process, or when ctx is done, which also
// ends every call.
func Start(ctx context.Context, options Options) (*Hub, error) {
	program, err := start(ctx, options)
	if err != nil {
		return nil, err
	}
	var first login
	if len(program.devices) > 0 {
		first = program.devices[0]
	}
	return newHub(ctx, &control.Client{URL: program.control}, program.listening, first, program)
}

// Connect takes a hub that runs, by the address in its line `control on http://127.0.0.1:PORT/`. The token is empty unless
// the hub wants one. A hub does not tell the passwords of its devices.
func Connect(ctx context.Context, url, token string) (*Hub, error) {
	api := &control.Client{URL: url, Token: token}
	about, err := api.GetHub(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := api.GetDevices(ctx)
	if err != nil {
		return nil, err
	}
	var first login
	if len(devices) > 0 {
		first.ID = devices[0].ID
	}
	return newHub(ctx, api, about.Listening, first, nil)
}

func newHub(ctx context.Context, api *control.Client, listening string, first login, program *program) (*Hub, error) {
	host, text, err := net.SplitHostPort(listening)
	if err != nil {
		return nil, fmt.Errorf("the hub listens at %q: %w", listening, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	all := watched{API: api, ctx: ctx}
	device := &Device{watched: watched{api, ctx, first.ID}, ID: first.ID, Password: first.Password}
	return &Hub{watched: all, Host: host, Port: port, Device: device, ID: first.ID, Password: first.Password, program: program}, nil
}

// Addr says where tools connect, for net.Dial.
func (h *Hub) Addr() string { return net.JoinHostPort(h.Host, strconv.Itoa(h.Port)) }

// Harm is what a device is created with: entries of a scenario's lists, such as "stall" or Words{"delay": ...}.
type Harm struct{ Faults, Quirks []any }

// Create creates a device in the words of a scenario: Create(Words{"express": Words{"bms": Words{"cells": 4}}}, Harm{}).
// Without an id it gets a free one, so tests that share a hub do not see each other.
func (h *Hub) Create(device Words, harm Harm) (*Device, error) {
	created, err := h.API.PostDevices(h.ctx, control.NewDevice{Device: device, Faults: harm.Faults, Quirks: harm.Quirks})
	if err != nil {
		return nil, err
	}
	return &Device{watched: watched{h.API, h.ctx, created.ID}, ID: created.ID, Password: created.Password}, nil
}

// Drop makes the hub go away: it closes all connections, and whoever connects is refused, until Restart.
func (h *Hub) Drop() error {
	_, err := h.API.PostHubStop(h.ctx, control.Stop{})
	return err
}

// Restart brings the hub back on the same port.
func (h *Hub) Restart() error {
	_, err := h.API.PostHubStart(h.ctx)
	return err
}

// Close ends the hub, if it was started here. It fails if the hub has already ended by itself.
func (h *Hub) Close() error {
	if h.program == nil {
		return nil
	}
	program := h.program
	h.program = nil
	return program.stop()
}
