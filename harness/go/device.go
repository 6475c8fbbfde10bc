package veschub

import "veschub/control"

// Device is a device at the hub.
type Device struct {
	watched
	// ID and Password are what a tool logs in with: VESCTOOL:ID:PASSWORD. Every password is taken if it is empty.
	ID, Password string
}

// Of narrows a value down.
type Of func(*place)

type place struct{ item, canID *int }

// Item is one element of a list; the first is 0. Without it, all are meant.
func Item(item int) Of { return func(p *place) { p.item = &item } }

// Node is a node on the device's CAN bus. Without it, the device itself is meant.
func Node(canID int) Of { return func(p *place) { p.canID = &canID } }

func placed(of []Of) (p place) {
	for _, narrow := range of {
		narrow(&p)
	}
	return p
}

// Pin pins a value, whatever the device does: Pin("cell_voltages_v", 3.1, Item(3)).
func (d *Device) Pin(field string, to float64, of ...Of) error {
	p := placed(of)
	return d.API.PostDevicesByIDValues(d.ctx, d.ID, control.SetWords{Field: field, To: to, Item: p.item, CanID: p.canID})
}

// Ramp lets a value go from one to another, over a time such as "20s".
func (d *Device) Ramp(field string, from, to float64, over string, of ...Of) error {
	p := placed(of)
	words := control.SetWords{Field: field, From: &from, To: to, Over: over, Item: p.item, CanID: p.canID}
	return d.API.PostDevicesByIDValues(d.ctx, d.ID, words)
}

// Release releases what was pinned or ramped here; an empty field means all.
func (d *Device) Release(field string, of ...Of) error {
	p := placed(of)
	query := control.DeleteDevicesByIDValuesQuery{Field: field, Item: p.item, CanID: p.canID}
	return d.API.DeleteDevicesByIDValues(d.ctx, d.ID, &query)
}

// Values are what the device would tell now, before any fault: "bms" and "motor", as far as it has them.
func (d *Device) Values(of ...Of) (map[string]any, error) {
	query := control.GetDevicesByIDQuery{CanID: placed(of).canID}
	found, err := d.API.GetDevicesByID(d.ctx, d.ID, &query)
	return found.Values, err
}

// Quirk switches a quirk on: Quirk("session-reset", Words{"after": "2.6s"}). Without parameters it has the usual ones.
func (d *Device) Quirk(name string, parameters Words) (remove func() error, err error) {
	if parameters == nil {
		parameters = Words{}
	}
	if err := d.API.PutDevicesByIDQuirksByName(d.ctx, d.ID, name, parameters); err != nil {
		return nil, err
	}
	return func() error { return d.API.DeleteDevicesByIDQuirksByName(d.ctx, d.ID, name) }, nil
}

// Unplug unplugs it: the hub closes its tool, and refuses logins as to an unknown device.
func (d *Device) Unplug() error { return d.API.PostDevicesByIDUnplug(d.ctx, d.ID) }

// Plug plugs it in again.
func (d *Device) Plug() error { return d.API.PostDevicesByIDPlug(d.ctx, d.ID) }

// Reboot restarts it: it is away for a moment, and begins anew.
func (d *Device) Reboot() error { return d.API.PostDevicesByIDReboot(d.ctx, d.ID) }

// Remove removes it from the hub, with its faults.
func (d *Device) Remove() error { return d.API.DeleteDevicesByID(d.ctx, d.ID) }
