//! What is known of the hub, as the desk of the control API tells it, and what is shown of it.

use veschub_control::HubView;
use veschub_hub::hub::steer::{DeviceView, DeviceWithValues, FaultView, QuirkView};

/// What is known from the start.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Where the control API is served, if it is: `http://127.0.0.1:8080/`.
    pub control: Option<String>,
    /// What a newcomer may try, in lines.
    pub hints: Vec<String>,
    /// Whether colours are wanted.
    pub has_colours: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    #[default]
    Devices,
    Wire,
    BreakIt,
}

pub(crate) const VIEWS: [(View, &str); 3] = [
    (View::Devices, "Devices"),
    (View::Wire, "Wire"),
    (View::BreakIt, "Break it"),
];

/// What a page shows of a hub, apart from its journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Look {
    pub(crate) hub: HubView,
    pub(crate) devices: Vec<DeviceView>,
    /// The chosen device, with its values or those of the chosen node.
    pub(crate) device: Option<DeviceWithValues>,
    pub(crate) faults: Vec<FaultView>,
    /// Those of the chosen device.
    pub(crate) quirks: Vec<QuirkView>,
}

/// What a page wants to know now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Whose values or quirks, and of which node on its bus.
    pub(crate) device: Option<(String, Option<u8>)>,
    pub(crate) values: bool,
    pub(crate) quirks: bool,
}
