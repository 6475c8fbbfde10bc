//! How a hub behaves: two profiles, and a switch for each single behaviour between them.

use std::time::Duration as Span;

use serde::Deserialize;

use crate::{
    duration::Duration,
    quirk::{Provenance, QuirkInfo, Shown, Switch, Trace},
};

/// Which hub a hub is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HubProfile {
    /// VESC Tool's hub, its races included.
    #[default]
    Reference,
    /// None of them.
    Ideal,
}

/// Makes from the list of switches the hub's fields, the keys of a scenario's `hub`, the two profiles and the entries
/// of the catalogue.
macro_rules! switches {
    ($(
        $(#[doc = $about:literal])+
        $switch:ident {
            provenance: $provenance:ident,
            seen: $seen:literal,
            shown_by: $shown:expr,
            trace: $trace:ident,
        }
    )+) => {
        /// How a hub behaves.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct HubConfig {
            /// How long a connection may take to send its login line (`vesc_tool tcphub.cpp:88-95`: 5 s).
            pub login_timeout: Span,
            /// The longest login line in bytes; the reference hub has no limit, a simulator must have one.
            pub max_login_line: usize,
            /// The most bytes of login lines that may be unfinished at a time, of all connections together; a line that
            /// does not fit is refused.
            pub max_login_bytes: usize,
            /// The most bytes that may wait for a peer that does not read; beyond it the connection is dropped.
            pub max_unsent: usize,
            /// The most bytes that are kept for later, and further ones are dropped: of a device until its first tool
            /// comes, and of a tool until its login is through.
            pub max_kept: usize,
            $( $(#[doc = $about])+ pub $switch: bool, )+
        }

        impl HubConfig {
            fn with_all(on: bool) -> Self {
                Self {
                    login_timeout: Span::from_secs(5),
                    max_login_line: 256 * 1024,
                    max_login_bytes: 4 * 1024 * 1024,
                    max_unsent: 1024 * 1024,
                    max_kept: 1024 * 1024,
                    $( $switch: on, )+
                }
            }
        }

        /// The hub: a profile, and switches for single behaviours.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(rename = "Hub"))]
        #[serde(deny_unknown_fields, default)]
        pub struct HubKeys {
            /// Which hub it is like.
            pub profile: HubProfile,
            /// How long a connection may take to send its login line.
            pub login_timeout: Option<Duration>,
            /// The longest login line, in bytes. Default: `262144`.
            pub max_login_line: Option<usize>,
            /// The most bytes of login lines that may be unfinished at a time, of all connections together. Default:
            /// `4194304`.
            pub max_login_bytes: Option<usize>,
            /// The most bytes that may wait for a tool or a device that does not read; with more its connection is
            /// dropped. Default: `1048576`.
            pub max_unsent: Option<usize>,
            /// The most bytes that are kept of a device until its first tool comes, and of a tool until its login is
            /// through. Default: `1048576`.
            pub max_kept: Option<usize>,
            $( $(#[doc = $about])+ pub $switch: Option<bool>, )+
        }

        impl HubKeys {
            /// The profile with the switches that were set.
            #[must_use]
            pub fn config(&self) -> HubConfig {
                let profile = match self.profile {
                    HubProfile::Reference => HubConfig::reference(),
                    HubProfile::Ideal => HubConfig::ideal(),
                };
                HubConfig {
                    login_timeout: self.login_timeout.map_or(profile.login_timeout, Duration::get),
                    max_login_line: self.max_login_line.unwrap_or(profile.max_login_line),
                    max_login_bytes: self.max_login_bytes.unwrap_or(profile.max_login_bytes),
                    max_unsent: self.max_unsent.unwrap_or(profile.max_unsent),
                    max_kept: self.max_kept.unwrap_or(profile.max_kept),
                    $( $switch: self.$switch.unwrap_or(profile.$switch), )+
                }
            }
        }

        /// What is known of each switch.
        pub const SWITCHES: &[QuirkInfo] = &[$( QuirkInfo {
            name: stringify!($switch),
            about: concat!($($about),+).trim_ascii(),
            provenance: Provenance::$provenance,
            seen: $seen,
            switch: Switch::Hub,
            parameters: "true",
            shown_by: $shown,
            trace: Trace::$trace,
            commands: &[],
            makes_up_replies: false,
        }, )+];
    };
}

switches! {
    /// Bytes that are read together with the login line are lost.
    login_swallows {
        provenance: Measured,
        seen: "vesc_tool utility.cpp:2389-2401, and run",
        shown_by: Shown::Scenario("a-request-with-the-login-is-lost"),
        trace: RequestsWithTheLogin,
    }

    /// A silent connection that was opened later holds up an earlier login until it fails: each connection is served
    /// in a nested event loop.
    silent_connection_stalls {
        provenance: Measured,
        seen: "vesc_tool utility.cpp:2379-2415, and run",
        shown_by: Shown::Test("a_silent_connection_that_comes_later_holds_up_a_login_until_it_fails"),
        trace: None,
    }

    /// The late end of a replaced device's connection deletes its successor's entry, so that the device stays
    /// connected and cannot be reached.
    replacement_deletes {
        provenance: Measured,
        seen: "vesc_tool tcphub.cpp:110-129, and run",
        shown_by: Shown::Test("a_replaced_device_with_bytes_unsent_takes_the_new_entry_with_it"),
        trace: None,
    }

    /// What an outside device says before its first tool comes is kept, and delivered with what it says next.
    keeps_early_bytes {
        provenance: Measured,
        seen: "vesc_tool tcphub.cpp:146-150, and run",
        shown_by: Shown::Test("what_is_said_before_the_first_tool_is_kept_up_to_a_limit"),
        trace: None,
    }

    /// A reply to one tool's request reaches the tool that has taken its place: the pipe has no owners.
    late_replies {
        provenance: Source,
        seen: "vesc_tool tcphub.cpp:140-150",
        shown_by: Shown::Test("a_late_reply_reaches_the_tool_that_has_taken_over"),
        trace: UnaskedReplies,
    }

    /// Half a frame that a tool leaves in a device's parser is still there for the next tool.
    half_frames_stay {
        provenance: Measured,
        seen: "vesc_express main/comm_wifi.c:206-221, and run",
        shown_by: Shown::Test("half_a_request_left_by_one_tool_delays_the_next_ones_requests"),
        trace: None,
    }
}

impl HubConfig {
    /// VESC Tool's hub, its races included.
    #[must_use]
    pub fn reference() -> Self {
        Self::with_all(true)
    }

    /// A hub without any of these behaviours.
    #[must_use]
    pub fn ideal() -> Self {
        Self::with_all(false)
    }
}

impl Default for HubConfig {
    fn default() -> Self {
        Self::reference()
    }
}
