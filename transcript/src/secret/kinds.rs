//! The kinds of secrets, where they stand, and bytes that nobody knows.

use std::fmt;

use serde::Serialize;

/// The kinds of secrets that are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// The id of a device at a hub.
    LoginId,
    /// A password at a hub.
    Password,
    /// The name of a Wi-Fi network.
    NetworkName,
    /// The key of a Wi-Fi network.
    NetworkKey,
    /// The host name of a hub, but for the public one.
    HubHost,
    /// The Bluetooth name of a device, which it also announces.
    DeviceName,
    /// A Bluetooth pin.
    Pin,
    /// The unique id of a chip.
    Uuid,
    /// The address of a network card.
    Mac,
    /// An IP address.
    Ip,
    /// The clock of a computer, which tells it from others.
    HostClock,
    /// The number that a computer gave to a packet or a flow, which tells whose packets belong together.
    PacketNumber,
    /// When the recording was made.
    Date,
}

/// Where a secret stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// A login line.
    Login,
    /// An Express' config, in either direction.
    Config,
    /// The XML that describes a config, which is sent compressed and in parts.
    ConfigXml,
    /// A reply to FW_VERSION.
    FwVersion,
    /// Anywhere else in a payload, such as a PRINT.
    Payload,
    /// Bytes outside of frames.
    Noise,
    /// A discovery datagram.
    Discovery,
    /// The link's header of a packet.
    LinkHeader,
    /// The IP header of a packet.
    IpHeader,
    /// The TCP header of a packet.
    TcpHeader,
    /// The packets' times.
    Times,
}

/// Bytes whose content is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unparsed {
    /// Bytes outside of frames.
    Noise,
    /// What follows the known fields of a command, or the id of an unknown one.
    Unknown,
    /// The fields of a config that is not an Express'.
    Config,
    /// Bytes of packets that are not part of their stream, and padding.
    Unused,
    /// IP options, and TCP options that may hold addresses or keys.
    Options,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LoginId => "login id",
            Self::Password => "password",
            Self::NetworkName => "Wi-Fi name",
            Self::NetworkKey => "Wi-Fi key",
            Self::HubHost => "hub host",
            Self::DeviceName => "device name",
            Self::Pin => "Bluetooth pin",
            Self::Uuid => "UUID",
            Self::Mac => "MAC address",
            Self::Ip => "IP address",
            Self::HostClock => "TCP timestamp",
            Self::PacketNumber => "packet id",
            Self::Date => "date",
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "login lines",
            Self::Config => "configs",
            Self::ConfigXml => "the XML of configs",
            Self::FwVersion => "FW_VERSION replies",
            Self::Payload => "other payloads",
            Self::Noise => "bytes outside of frames",
            Self::Discovery => "discovery datagrams",
            Self::LinkHeader => "link headers",
            Self::IpHeader => "IP headers",
            Self::TcpHeader => "TCP headers",
            Self::Times => "packet times",
        })
    }
}

impl fmt::Display for Unparsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noise => "outside of frames",
            Self::Unknown => "of commands and fields that are not known",
            Self::Config => "of configs that are not known",
            Self::Unused => "of packets, outside of their streams",
            Self::Options => "of IP and TCP options",
        })
    }
}
