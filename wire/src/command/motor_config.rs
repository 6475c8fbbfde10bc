//! The two configurations of a motor controller: of the motor, MCCONF, and of its applications, APPCONF.
//!
//! ```text
//! →  0E (0F: default)                       ←  0E (0F) | signature u32 | fields
//! →  0D | signature u32 | fields            ←  0D, 200 ms later or more
//! →  11 (12: default)                       ←  11 (12) | signature u32 | fields
//! →  10 (95: until restart) | signature u32 | fields   ←  10 (95)
//! ```
//!
//! What the fields are depends on the firmware, and the signature stands for it (`bldc comm/commands.c:540-660`).
//! [`SIGNATURES`] lists those of releases. Firmware before 3.50 sends no signature: there the first four bytes belong to
//! the fields.

use super::prelude::*;

body! {
    /// A configuration as a reply holds it and as a tool sends it.
    pub struct MotorConfig {
        always {
            /// Stands for names, types and order of the fields. Before 3.50: the first bytes of the fields.
            signature: u32 = Shown::Listed { name: "layout_of", names: LAYOUTS },
            /// The fields, packed.
            data: Vec<u8> = Rest::Bytes,
        }
    }
}

impl MotorConfig {
    /// Reads what stands behind a command id; `None` if that is shorter than a signature.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (signature, data) = bytes.split_first_chunk()?;
        Some(Self {
            signature: u32::from_be_bytes(*signature),
            data: data.to_vec(),
        })
    }

    /// What stands behind a command id. For firmware without signatures, these are the fields.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.signature.to_be_bytes()[..], &self.data].concat()
    }
}

/// Which of the two configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigKind {
    /// MCCONF: of the motor.
    Motor,
    /// APPCONF: of the applications, that is inputs, CAN bus and timeout.
    Application,
}

impl ConfigKind {
    /// Its name in VESC's programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Motor => "MCCONF",
            Self::Application => "APPCONF",
        }
    }

    /// The configuration that a command reads or writes.
    #[must_use]
    pub fn of_command(command: CommandId) -> Option<Self> {
        match command {
            CommandId::SET_MCCONF | CommandId::GET_MCCONF | CommandId::GET_MCCONF_DEFAULT => {
                Some(Self::Motor)
            }
            CommandId::SET_APPCONF
            | CommandId::GET_APPCONF
            | CommandId::GET_APPCONF_DEFAULT
            | CommandId::SET_APPCONF_NO_STORE => Some(Self::Application),
            _ => None,
        }
    }
}

/// A configuration of a released firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigSignature {
    /// Which configuration.
    pub kind: ConfigKind,
    /// The firmware that has it, as `6.02`; several if several have it.
    pub firmware: &'static [&'static str],
    /// The signature.
    pub signature: u32,
    /// The bytes of a whole payload, with command id and signature.
    pub payload_len: usize,
    /// How many fields it has.
    pub fields: usize,
}

impl ConfigSignature {
    /// The bytes of the fields.
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.payload_len.saturating_sub(5)
    }
}

/// The list of signatures, and the same as texts for views.
macro_rules! signatures {
    ($($kind:ident $text:literal [$($firmware:literal)*] $signature:literal $len:literal $fields:literal;)*) => {
        /// The configurations of released firmware, from 3.60 on. Test builds between releases have other signatures.
        ///
        /// As generated into the firmware (`confgenerator.h` of each tag), and counted again from the parameter files of VESC
        /// Tool (`docs/protocol-motor.md`, section 5.2).
        pub const SIGNATURES: &[ConfigSignature] = &[$(ConfigSignature {
            kind: ConfigKind::$kind,
            firmware: &[$($firmware),*],
            signature: $signature,
            payload_len: $len,
            fields: $fields,
        }),*];
        const LAYOUTS: &[(u32, &str)] = &[$(($signature, $text)),*];
    };
}

signatures! {
    Motor "MCCONF of 3.60" ["3.60"] 503_309_878 404 127;
    Motor "MCCONF of 4.00" ["4.00"] 657_785_302 434 138;
    Motor "MCCONF of 4.02" ["4.02"] 3_632_471_335 434 138;
    Motor "MCCONF of 5.00 and 5.01" ["5.00" "5.01"] 3_698_540_221 438 139;
    Motor "MCCONF of 5.02" ["5.02"] 2_211_848_314 458 151;
    Motor "MCCONF of 5.03" ["5.03"] 2_525_666_056 485 175;
    Motor "MCCONF of 6.00 and 6.02" ["6.00" "6.02"] 776_184_161 482 189;
    Motor "MCCONF of 6.05" ["6.05"] 1_065_524_471 478 196;
    Motor "MCCONF of 6.06" ["6.06"] 788_332_866 484 200;
    Motor "MCCONF of 7.00" ["7.00"] 1_470_992_211 489 202;
    Motor "MCCONF of 7.01" ["7.01"] 2_466_726_157 489 202;
    Application "APPCONF of 3.60" ["3.60"] 543_202_478 257 96;
    Application "APPCONF of 4.00" ["4.00"] 511_269_002 332 116;
    Application "APPCONF of 4.02" ["4.02"] 1_232_755_601 368 126;
    Application "APPCONF of 5.00 and 5.01" ["5.00" "5.01"] 2_460_147_246 390 132;
    Application "APPCONF of 5.02" ["5.02"] 3_264_926_020 419 149;
    Application "APPCONF of 5.03" ["5.03"] 3_733_512_279 477 173;
    Application "APPCONF of 6.00 and 6.02" ["6.00" "6.02"] 486_554_156 494 187;
    Application "APPCONF of 6.05 and 6.06" ["6.05" "6.06"] 2_099_347_128 279 119;
    Application "APPCONF of 7.00" ["7.00"] 2_384_027_283 285 121;
    Application "APPCONF of 7.01" ["7.01"] 982_638_166 285 121;
}

/// What a signature stands for, if a release has it.
#[must_use]
pub fn config_of_signature(signature: u32) -> Option<&'static ConfigSignature> {
    SIGNATURES.iter().find(|one| one.signature == signature)
}

/// The signature that a firmware has, if it is a release whose signature is known.
#[must_use]
pub fn signature_of(kind: ConfigKind, firmware: &str) -> Option<&'static ConfigSignature> {
    SIGNATURES
        .iter()
        .find(|one| one.kind == kind && one.firmware.contains(&firmware))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reply, Request};

    #[test]
    fn every_signature_stands_for_one_layout_and_every_text_names_its_firmware() {
        for (one, (signature, text)) in SIGNATURES.iter().zip(LAYOUTS) {
            assert_eq!(one.signature, *signature);
            let joined = one.firmware.join(" and ");
            assert_eq!(*text, format!("{} of {joined}", one.kind.name()));
            assert_eq!(config_of_signature(*signature), Some(one), "{text}");
            for firmware in one.firmware {
                assert_eq!(signature_of(one.kind, firmware), Some(one), "{text}");
            }
            assert!(
                one.data_len() >= one.fields,
                "a field takes at least a byte"
            );
        }
        assert_eq!(signature_of(ConfigKind::Motor, "3.40"), None);
    }

    #[test]
    fn a_configuration_without_a_signature_keeps_its_first_bytes() {
        let bytes = b"\x00\x01\x02\x03\x04\x05";
        let config = MotorConfig::from_bytes(bytes).unwrap();
        assert_eq!(config.to_bytes(), bytes);
        assert_eq!(MotorConfig::from_bytes(&bytes[..3]), None);
        let reply = Reply::Mcconf(config.clone()).encode();
        assert_eq!(reply, [&b"\x0E"[..], bytes].concat());
        assert_eq!(
            Reply::decode(&reply).unwrap().fields().get("layout_of"),
            None
        );
        let set = Request::SetAppconfNoStore(config).encode();
        assert_eq!(set, [&b"\x95"[..], bytes].concat());
    }

    #[test]
    fn a_known_signature_is_told_with_the_firmware_that_has_it() {
        let signature = 1_470_992_211_u32.to_be_bytes();
        let reply = Reply::decode(&[b"\x0E", &signature[..], b"\x2A"].concat()).unwrap();
        assert_eq!(
            reply.fields().to_string(),
            r#"signature=1470992211 layout_of="MCCONF of 7.00" data=2a"#
        );
    }
}
