//! Settings that decide nothing.

use super::Lint;
use crate::{
    code::Code,
    compile::packs,
    schema::{BmsSettings, Outfit, ScriptedReply},
    source::Place,
};

impl Lint<'_> {
    pub(super) fn check_settings(&mut self) {
        let scenario = self.scenario;
        for (index, device) in scenario.devices.iter().enumerate() {
            let place = Place::root().key("devices").index(index).only();
            if let Some(outfit) = device.outfit() {
                self.check_outfit(&outfit, &place);
            }
        }
    }

    fn check_outfit(&mut self, outfit: &Outfit<'_>, place: &Place) {
        for (bms, place) in packs(outfit, place) {
            self.check_bms(bms, &place);
        }
        self.check_hardware(outfit.hardware, place);
        for (index, node) in outfit.can.iter().enumerate() {
            let place = place.clone().key("can").index(index).only();
            self.check_hardware(node.settings().hardware(), &place);
        }
        for (index, reply) in outfit.replies.iter().enumerate() {
            let replies = place.clone().key("replies");
            let earlier = outfit.replies[..index].iter();
            // Entries for the same requests are used in turn.
            let hides =
                |other: &ScriptedReply| covers(other, reply) && other.request != reply.request;
            let Some(first) = earlier.clone().position(hides) else {
                continue;
            };
            let finding = self
                .odd(
                    Code::NoEffect,
                    replies.clone().index(index).key("request"),
                    "this reply is never given: an earlier entry takes the same request",
                )
                .also(
                    replies.index(first).key("request"),
                    "takes every such request",
                );
            self.found.push(finding);
        }
        for (index, answer) in outfit.terminal.iter().enumerate() {
            let terminal = place.clone().key("terminal");
            let mut earlier = outfit.terminal[..index].iter();
            let Some(first) = earlier.position(|other| other.command == answer.command) else {
                continue;
            };
            let message = format!("`{}` is answered by an earlier entry", answer.command);
            let finding = self
                .odd(
                    Code::NoEffect,
                    terminal.clone().index(index).key("command"),
                    message,
                )
                .also(terminal.index(first).key("command"), "the earlier one");
            self.found.push(finding);
        }
    }

    /// Warns of a name that VESC Tool and other clients read differently.
    fn check_hardware(&mut self, name: &str, place: &Place) {
        // It goes on behind as many bytes as the name has UTF-16 units (`vesc_tool vbytearray.cpp:330-339`).
        let shift = name.len() - name.encode_utf16().count();
        if shift == 0 {
            return;
        }
        let s = if shift == 1 { "" } else { "s" };
        let message =
            format!("VESC Tool reads all that follows this name {shift} byte{s} too early");
        let finding = self
            .odd(Code::Misread, place.clone().key("hardware"), message)
            .help("use letters, digits and signs of ASCII");
        self.found.push(finding);
    }

    /// Warns of what is said about cells where there are none.
    fn check_bms(&mut self, bms: &BmsSettings, place: &Place) {
        let (none, key) = match (&bms.cell_voltages_v, bms.cells) {
            (Some(list), _) => (list.is_empty(), "cell_voltages_v"),
            (None, cells) => (cells == Some(0), "cells"),
        };
        if !none {
            return;
        }
        for about_cells in ["cell_voltage_v", "spread_mv", "noise_mv", "balancing"] {
            let at = place.clone().key(about_cells);
            if self.source.has(&at) {
                let message = format!("`{about_cells}` has no effect: there are no cells");
                let finding = self
                    .odd(Code::NoEffect, at.at_key(), message)
                    .also(place.clone().key(key), "no cells");
                self.found.push(finding);
            }
        }
    }
}

/// Whether an earlier entry takes every request of a later one.
fn covers(earlier: &ScriptedReply, later: &ScriptedReply) -> bool {
    let (wide, narrow) = (&earlier.request, &later.request);
    if wide.open_ended {
        narrow.bytes.starts_with(&wide.bytes)
    } else {
        !narrow.open_ended && narrow.bytes == wide.bytes
    }
}
