//! New firmware: erasing the place for it, writing it, starting it.
//!
//! ```text
//! erase    →  02 | size u32                             ←  02 | ok u8
//! write    →  03 | offset u32 | data                    ←  03 | ok u8 | offset u32, old firmware ends before it
//!          →  51 | offset u32 | length u16 | LZO1X data ←  the same, with id 03
//! jump     →  01                                        ←  nothing
//! ```
//!
//! The forms that reach all devices on the CAN bus (59 to 61, 74, 82) carry the same and are acknowledged with the ids of
//! the plain ones; so are those that name the hardware which is meant (102 to 109), with `hardware type u8 | name str` in
//! front. The first 6 bytes at offset 0 are the size of the image and its CRC-16, see [`ImageHead`].
//! Bootloaders are erased by 73 and 74, 105 and 109, and written like firmware, from [`BOOTLOADER_OFFSET`] on.
//!
//! `bldc comm/commands.c`, `vesc_express main/commands.c:293-361`, `vesc_bms_fw commands.c:126-263`;
//! `vesc_tool vescinterface.cpp:1314-1719, commands.cpp:1184-1270`.

use super::prelude::*;
use crate::{crc16, number::Text};

/// Where a motor controller has its bootloader, counted from the place of new firmware (`vesc_tool vescinterface.cpp`).
pub const BOOTLOADER_OFFSET: u32 = 393_216;

commands! {
    /// A command about new firmware.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum UploadCommand {
        /// 1: starts the new firmware; not answered.
        JUMP_TO_BOOTLOADER => Jump,
        /// 2: makes room.
        ERASE_NEW_APP => Erase {
            /// The bytes that are needed.
            size: u32,
        },
        /// 3: writes a piece.
        WRITE_NEW_APP_DATA => Write {
            /// Where it goes.
            offset: u32,
            /// The piece.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 59: starts the new firmware on all devices on the CAN bus; not answered.
        JUMP_TO_BOOTLOADER_ALL_CAN => JumpAllCan,
        /// 60: makes room on all devices on the CAN bus.
        ERASE_NEW_APP_ALL_CAN => EraseAllCan {
            /// The bytes that are needed.
            size: u32,
        },
        /// 61: writes a piece on all devices on the CAN bus.
        WRITE_NEW_APP_DATA_ALL_CAN => WriteAllCan {
            /// Where it goes.
            offset: u32,
            /// The piece.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 73: erases the bootloader.
        ERASE_BOOTLOADER => EraseBootloader,
        /// 74: erases the bootloaders of all devices on the CAN bus.
        ERASE_BOOTLOADER_ALL_CAN => EraseBootloaderAllCan,
        /// 81: writes a compressed piece.
        WRITE_NEW_APP_DATA_LZO => WriteLzo {
            /// Where it goes.
            offset: u32,
            /// Its size when it is no longer compressed, in bytes.
            length: u16,
            /// The piece, as LZO1X.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 82: writes a compressed piece on all devices on the CAN bus.
        WRITE_NEW_APP_DATA_ALL_CAN_LZO => WriteAllCanLzo {
            /// Where it goes.
            offset: u32,
            /// Its size when it is no longer compressed, in bytes.
            length: u16,
            /// The piece, as LZO1X.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 102: starts the new firmware of one hardware; not answered.
        JUMP_TO_BOOTLOADER_HW => JumpHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
        },
        /// 103: makes room on one hardware.
        ERASE_NEW_APP_HW => EraseHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
            /// The bytes that are needed.
            size: u32,
        },
        /// 104: writes a piece on one hardware.
        WRITE_NEW_APP_DATA_HW => WriteHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
            /// Where it goes.
            offset: u32,
            /// The piece.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 105: erases the bootloader of one hardware.
        ERASE_BOOTLOADER_HW => EraseBootloaderHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
        },
        /// 106: the same as 102, on all devices on the CAN bus.
        JUMP_TO_BOOTLOADER_ALL_CAN_HW => JumpAllCanHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
        },
        /// 107: the same as 103, on all devices on the CAN bus.
        ERASE_NEW_APP_ALL_CAN_HW => EraseAllCanHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
            /// The bytes that are needed.
            size: u32,
        },
        /// 108: the same as 104, on all devices on the CAN bus.
        WRITE_NEW_APP_DATA_ALL_CAN_HW => WriteAllCanHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
            /// Where it goes.
            offset: u32,
            /// The piece.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 109: the same as 105, on all devices on the CAN bus.
        ERASE_BOOTLOADER_ALL_CAN_HW => EraseBootloaderAllCanHw {
            /// See [`hardware_type_name`](super::hardware_type_name).
            hardware_type: u8,
            /// Its name.
            hardware: Text,
        },
    } or {}
}

body! {
    /// The acknowledgement of a piece of new firmware.
    #[derive(Copy)]
    pub struct WriteAck {
        always {
            /// Whether it was written.
            ok: u8 = Shown::Flag,
        }
        since "3.67" {
            /// The offset of the piece, as the device counts; firmware before it ends here.
            offset: u32,
        }
    }
}

commands! {
    /// What a device says about new firmware.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum UploadReply {
        /// 2: whether there is room now, whichever of the commands asked for it.
        ERASE_NEW_APP => Erased {
            /// Whether there is.
            ok: u8 = Shown::Flag,
        },
        /// 3: whether a piece was written, whichever of the commands brought it.
        WRITE_NEW_APP_DATA => Written(WriteAck),
        /// 73: whether the bootloader is erased.
        ERASE_BOOTLOADER => BootloaderErased {
            /// Whether it is.
            ok: u8 = Shown::Flag,
        },
    } or {}
}

/// The first bytes of new firmware: how long the image behind them is, and its CRC-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHead {
    /// The size of the image in bytes; where the top byte is `CC`, the image is compressed (heatshrink).
    pub size: u32,
    /// CRC-16 of the image.
    pub crc: u16,
}

impl ImageHead {
    /// How many bytes it takes.
    pub const SIZE: usize = 6;

    /// The head of an image.
    #[must_use]
    pub fn of(image: &[u8]) -> Self {
        Self {
            size: u32::try_from(image.len()).unwrap_or(u32::MAX),
            crc: crc16(image),
        }
    }

    /// The head at the beginning of these bytes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d, e, f, ..] = bytes else {
            return None;
        };
        Some(Self {
            size: u32::from_be_bytes([a, b, c, d]),
            crc: u16::from_be_bytes([e, f]),
        })
    }

    /// The bytes of it.
    #[must_use]
    pub fn bytes(self) -> [u8; Self::SIZE] {
        let [a, b, c, d] = self.size.to_be_bytes();
        let [e, f] = self.crc.to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// Whether the image is compressed; then the size has no top byte.
    #[must_use]
    pub fn is_compressed(self) -> bool {
        self.size >> 24 == 0xCC
    }

    /// The size of the image without that mark.
    #[must_use]
    pub fn image_size(self) -> u32 {
        match self.is_compressed() {
            true => self.size & 0x00FF_FFFF,
            false => self.size,
        }
    }
}
