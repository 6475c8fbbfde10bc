//! What the client of a draft does, and what must be seen then.

use std::collections::BTreeSet;

use veschub_wire::{
    CommandId, Request,
    view::{Value, View as _, hex},
};

use super::{
    can::usable_name,
    device::DeviceDraft,
    session::Recorded,
    text::{count, duration, scalar, span},
};

/// A draft polls no more often than this, however long the recording is.
const MAX_POLLS: usize = 2000;
/// The most requests that a draft sends one by one.
const MAX_REQUESTS: usize = 50;

/// The client's task and the expectations, as lines.
pub(super) fn client(device: &DeviceDraft<'_>) -> Vec<String> {
    let reads_firmware = !device.is_silenced(&[CommandId::FW_VERSION.0]);
    match device.cadence {
        Some(cadence) if device.readings.len() > 1 && reads_firmware => {
            let polls = device.readings.len().min(MAX_POLLS);
            let times = u32::try_from(polls).unwrap_or(u32::MAX);
            let lasting = cadence.every.saturating_mul(times);
            let mut lines = vec![
                "client:".to_owned(),
                format!(
                    "  # Recorded: {} between polls as the median, {} as the mean.",
                    span(cadence.median),
                    span(cadence.mean)
                ),
                format!(
                    "  poll-bms: {{ every: {}, for: {} }}",
                    duration(cadence.every),
                    duration(lasting)
                ),
                "expect:".to_owned(),
            ];
            lines.extend(poll_expectations(device, polls));
            lines
        }
        _ => send(device),
    }
}

fn poll_expectations(device: &DeviceDraft<'_>, polls: usize) -> Vec<String> {
    let mut lines = vec![format!(
        "  - request-count: {{ of: BMS_GET_VALUES, at_least: {polls}, at_most: {polls} }}"
    )];
    if let Some((version, _)) = &device.fw {
        let told = version.version();
        lines.push(format!(
            "  - value: {{ of: FW_VERSION, field: firmware, is: \"{told}\" }}"
        ));
        if let Some(hardware) = usable_name(version.hardware.as_ref(), usize::MAX) {
            let hardware = scalar(&hardware);
            lines.push(format!(
                "  - value: {{ of: FW_VERSION, field: hardware, is: {hardware} }}"
            ));
        }
    }
    if let (Some(first), Some(last)) = (device.readings.first(), device.readings.get(polls - 1)) {
        lines.push(format!(
            "  - reply-length: {{ of: BMS_GET_VALUES, is: {} }}",
            first.len
        ));
        let cells = first.values.cell_voltages_v.len();
        lines.push(format!(
            "  - value: {{ field: cell_voltages_v, length: {cells} }}"
        ));
        let total = last.values.total_voltage_v;
        lines.push(format!(
            "  - value: {{ field: total_voltage_v, is: {}, within: 0.0001 }}",
            total.value()
        ));
    }
    lines
}

/// Each request once, in the order of the recording, with what came of it.
fn send(device: &DeviceDraft<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    let mut known = BTreeSet::new();
    for (request, words) in sendable(device.recorded) {
        let Some(id) = request.reply_id() else {
            continue;
        };
        let payload = request.encode();
        let asked = || device.recorded.of(&payload);
        let answered = asked().any(|one| one.reply.is_some());
        if !answered && !asked().any(|one| one.given_up) {
            // The recording ended before its reply.
            continue;
        }
        let shared = |other: &&[u8]| {
            let other = Request::decode(other)
                .ok()
                .and_then(|request| request.body.reply_id());
            other == Some(id)
        };
        let others = device.recorded.requests();
        let sometimes = others
            .iter()
            .filter(|other| shared(other))
            .any(|other| device.recorded.of(other).any(|one| one.reply.is_some()));
        if !answered && sometimes {
            // A silent request beside an answered one of the same command cannot be told apart by an expectation.
            continue;
        }
        lines.push(format!("      - {}", scalar(&words)));
        if known.insert(id) {
            expected.push(if answered {
                format!("  - reply-to: {id}")
            } else {
                format!("  - no-reply-to: {id}")
            });
        }
        if lines.len() == MAX_REQUESTS {
            break;
        }
    }
    if lines.is_empty() {
        let silent = device.is_silenced(&[CommandId::FW_VERSION.0]);
        lines.push("      - FW_VERSION".to_owned());
        let expectation = if silent { "no-reply-to" } else { "reply-to" };
        expected.push(format!("  - {expectation}: FW_VERSION"));
    }
    let asked = count(
        device.recorded.requests().len(),
        "different request was",
        "different requests were",
    );
    let mut all = vec![
        "client:".to_owned(),
        format!("  # {asked} recorded."),
        "  send:".to_owned(),
        "    requests:".to_owned(),
    ];
    all.append(&mut lines);
    all.push("expect:".to_owned());
    all.append(&mut expected);
    all
}

/// Requests that change nothing, in words.
fn sendable(recorded: &Recorded) -> Vec<(Request, String)> {
    let requests = recorded.requests().into_iter();
    let known = requests.filter_map(|payload| Request::decode(payload).ok());
    known
        .filter(|request| request.trailing.is_empty() && !request.body.is_never_answered())
        .filter_map(|request| {
            let words = words(&request.body)?;
            Some((request.body, words))
        })
        .collect()
}

/// Whether a command only reads: its name says so.
fn reads_only(id: CommandId) -> bool {
    let name = id.name().unwrap_or_default();
    name.split('_').any(|word| word == "GET")
}

/// A request as `veschub-sim encode` takes it; none for one that changes the device or whose command has no name.
fn words(request: &Request) -> Option<String> {
    let id = request.id();
    id.name()?;
    let words = match request {
        Request::ForwardCan { can_id, .. } => {
            let inner = words(&request.forwarded()?.ok()?.body)?;
            format!("{id} {can_id} {inner}")
        }
        Request::CustomAppData { data } => format!("{id} {}", hex(data)),
        Request::SetCustomConfig(_) => return None,
        Request::Other(other) if other.arguments.is_empty() => id.to_string(),
        Request::Other(other) => format!("{id} {}", hex(&other.arguments)),
        reads if reads_only(id) => {
            let fields = reads.fields();
            let words = fields.iter().map(|(name, value)| match (name, value) {
                ("mask", Value::Int(mask)) => format!(" {mask:#x}"),
                (_, value) => format!(" {value}"),
            });
            format!("{id}{}", words.collect::<String>())
        }
        _ => id.to_string(),
    };
    // What does not come out as it went in is left out: nesting deeper than a person would write.
    let (name, arguments) = words.split_once(' ').unwrap_or((&words, ""));
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let again = Request::from_args(name.parse().ok()?, &arguments).ok()?;
    (again.encode() == request.encode()).then_some(words)
}
