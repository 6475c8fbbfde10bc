package veschub

import (
	"context"

	"veschub/control"
)

// What a hub and one of its devices have in common.
type watched struct {
	// API has all routes, for what has no method here.
	API *control.Client
	ctx context.Context
	// Only this device; empty for all.
	device string
}

// Wanted says which entries of the journal are waited for; what is empty does not matter. See docs/journal.md.
type Wanted struct {
	// Kind is such as "attached", "frame" or "closed".
	Kind string
	// Command is such as "BMS_GET_VALUES".
	Command string
	// Direction is "to-device" or "to-tool".
	Direction string
	// Name is that of a quirk or a fault.
	Name string
	// Text must be in the text of the entry.
	Text string
	// Count waits for so many, and gives the last one; 0 means 1.
	Count int
	// After leaves out the entries up to this number, the Seq of an entry.
	After int
	// Within says how long to wait, "5s" unless given.
	Within string
}

// WaitFor waits for an entry of the journal. Entries that are there already count. If it does not come in time, the error
// is a *control.Error with the entries that are the most like it.
func (w *watched) WaitFor(wanted Wanted) (control.JournalLine, error) {
	query := control.GetJournalWaitQuery{
		Device:    w.device,
		Kind:      wanted.Kind,
		Command:   wanted.Command,
		Direction: wanted.Direction,
		Name:      wanted.Name,
		Text:      wanted.Text,
		After:     &wanted.After,
		Within:    wanted.Within,
	}
	if wanted.Count > 0 {
		query.Count = &wanted.Count
	}
	found, err := w.API.GetJournalWait(w.ctx, &query)
	if err != nil {
		return control.JournalLine{}, err
	}
	return found.Entries[len(found.Entries)-1], nil
}

// Fault switches a fault on: Fault(Words{"delay": Words{"by": "250ms"}}). It acts at once, until remove is called.
func (w *watched) Fault(fault any) (remove func() error, err error) {
	made, err := w.API.PostFaults(w.ctx, control.NewFault{Device: w.device, Fault: fault})
	if err != nil {
		return nil, err
	}
	return func() error { return w.API.DeleteFaultsByID(w.ctx, made.ID) }, nil
}
