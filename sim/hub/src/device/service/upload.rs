//! New firmware: a device takes it piece by piece, and starts it.
//!
//! The simulator starts no firmware: after the jump, the device restarts and is the same as before. What it does check is
//! the head of the image: its size and its CRC.

use std::time::Duration as Span;

use veschub_wire::{
    CommandId, Reply, Request,
    command::{BOOTLOADER_OFFSET, ImageHead, UploadCommand, UploadReply, WriteAck},
    crc16,
};

use super::{MotorState, Service, flash::Flash, lzo};
use crate::{Silence, device::answer::Answers, time::Time};

/// The commands about new firmware. Which of them a device knows, its firmware decides.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::JUMP_TO_BOOTLOADER,
    CommandId::ERASE_NEW_APP,
    CommandId::WRITE_NEW_APP_DATA,
    CommandId::JUMP_TO_BOOTLOADER_ALL_CAN,
    CommandId::ERASE_NEW_APP_ALL_CAN,
    CommandId::WRITE_NEW_APP_DATA_ALL_CAN,
    CommandId::ERASE_BOOTLOADER,
    CommandId::ERASE_BOOTLOADER_ALL_CAN,
    CommandId::WRITE_NEW_APP_DATA_LZO,
    CommandId::WRITE_NEW_APP_DATA_ALL_CAN_LZO,
    CommandId::JUMP_TO_BOOTLOADER_HW,
    CommandId::ERASE_NEW_APP_HW,
    CommandId::WRITE_NEW_APP_DATA_HW,
    CommandId::ERASE_BOOTLOADER_HW,
    CommandId::JUMP_TO_BOOTLOADER_ALL_CAN_HW,
    CommandId::ERASE_NEW_APP_ALL_CAN_HW,
    CommandId::WRITE_NEW_APP_DATA_ALL_CAN_HW,
    CommandId::ERASE_BOOTLOADER_ALL_CAN_HW,
];

/// A sector of a motor controller's flash memory.
const SECTOR: u32 = 128 * 1024;
/// How long such a sector takes to erase; inferred from what is usual for an STM32F4.
const SECTOR_ERASE: Span = Span::from_secs(1);
/// How long a device waits after it sent an erase command to all others (`MC comm/commands.c`).
const ALL_CAN_PAUSE: Span = Span::from_millis(1500);
/// How many bytes there are for new firmware: on a motor controller three sectors and the bootloader's behind them; on an
/// Express one of two partitions; on a BMS half of its flash. The last two are inferred.
const MOTOR_CAPACITY: usize = BOOTLOADER_OFFSET as usize + SECTOR as usize;
const EXPRESS_CAPACITY: usize = 2 * 1024 * 1024;
const BMS_CAPACITY: usize = 128 * 1024;
/// How long an Express takes to erase 1 MiB; inferred.
const EXPRESS_ERASE: Span = Span::from_secs(4);
/// How long a BMS takes; inferred.
const BMS_ERASE: Span = Span::from_secs(2);
/// A BMS writes so many bytes at a time (`BM commands.c:236-242`).
const BMS_WORD: usize = 8;

/// What differs between devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) enum UploadTo {
    /// A motor controller.
    Motor,
    /// An Express.
    Express,
    /// A BMS.
    Bms,
}

/// The place for new firmware.
#[derive(Debug)]
pub(in crate::device) struct Upload {
    to: UploadTo,
    hardware: String,
    /// Firmware before 3.67 does not tell the offset of a piece.
    tells_offset: bool,
    flash: Flash,
    /// Whether an Express has made room.
    erased: bool,
}

impl Upload {
    /// Nothing was written yet.
    pub(in crate::device) fn new(to: UploadTo, hardware: &str) -> Self {
        let capacity = match to {
            UploadTo::Motor => MOTOR_CAPACITY,
            UploadTo::Express => EXPRESS_CAPACITY,
            UploadTo::Bms => BMS_CAPACITY,
        };
        Self {
            to,
            hardware: hardware.to_owned(),
            tells_offset: true,
            flash: Flash::new(capacity),
            erased: false,
        }
    }

    /// The same for firmware that acknowledges a piece without its offset.
    pub(in crate::device) fn without_offsets(self) -> Self {
        Self {
            tells_offset: false,
            ..self
        }
    }

    fn do_command(&mut self, command: &UploadCommand) -> Result<Answers, Silence> {
        match command {
            UploadCommand::Jump | UploadCommand::JumpAllCan => self.jump(),
            UploadCommand::Erase { size } => Ok(self.erase(*size, Span::ZERO)),
            UploadCommand::EraseAllCan { size } => Ok(self.erase(*size, ALL_CAN_PAUSE)),
            UploadCommand::Write { offset, data } | UploadCommand::WriteAllCan { offset, data } => {
                Ok(self.write(*offset, data))
            }
            UploadCommand::WriteLzo {
                offset,
                length,
                data,
            }
            | UploadCommand::WriteAllCanLzo {
                offset,
                length,
                data,
            } => Ok(match lzo::decompress(data, (*length).into()) {
                Ok(data) => self.write(*offset, &data),
                Err(_) => self.written(false, *offset),
            }),
            UploadCommand::EraseBootloader => Ok(self.erase_bootloader(Span::ZERO)),
            UploadCommand::EraseBootloaderAllCan => Ok(self.erase_bootloader(ALL_CAN_PAUSE)),
            UploadCommand::JumpHw { .. } | UploadCommand::JumpAllCanHw { .. } => self.jump(),
            UploadCommand::EraseHw { size, .. } => Ok(self.erase(*size, Span::ZERO)),
            UploadCommand::EraseAllCanHw { size, .. } => Ok(self.erase(*size, ALL_CAN_PAUSE)),
            UploadCommand::WriteHw { offset, data, .. }
            | UploadCommand::WriteAllCanHw { offset, data, .. } => Ok(self.write(*offset, data)),
            UploadCommand::EraseBootloaderHw { .. } => Ok(self.erase_bootloader(Span::ZERO)),
            UploadCommand::EraseBootloaderAllCanHw { .. } => {
                Ok(self.erase_bootloader(ALL_CAN_PAUSE))
            }
        }
    }

    /// Whether a command is for another hardware than this.
    fn is_for_others(&self, command: &UploadCommand) -> bool {
        let (UploadCommand::JumpHw {
            hardware_type,
            hardware,
        }
        | UploadCommand::JumpAllCanHw {
            hardware_type,
            hardware,
        }
        | UploadCommand::EraseHw {
            hardware_type,
            hardware,
            ..
        }
        | UploadCommand::EraseAllCanHw {
            hardware_type,
            hardware,
            ..
        }
        | UploadCommand::WriteHw {
            hardware_type,
            hardware,
            ..
        }
        | UploadCommand::WriteAllCanHw {
            hardware_type,
            hardware,
            ..
        }
        | UploadCommand::EraseBootloaderHw {
            hardware_type,
            hardware,
        }
        | UploadCommand::EraseBootloaderAllCanHw {
            hardware_type,
            hardware,
        }) = command
        else {
            return false;
        };
        let own_type = match self.to {
            UploadTo::Motor => 0,
            UploadTo::Bms => 1,
            UploadTo::Express => 2,
        };
        *hardware_type != own_type || hardware.as_bytes() != self.hardware.as_bytes()
    }

    fn erase(&mut self, size: u32, pause: Span) -> Answers {
        let took = match self.to {
            UploadTo::Motor => SECTOR_ERASE * size.div_ceil(SECTOR).min(3),
            UploadTo::Express => EXPRESS_ERASE.mul_f64(f64::from(size) / 1024.0 / 1024.0),
            UploadTo::Bms => BMS_ERASE,
        };
        // An Express makes room for the image without its head.
        let fits = self.to != UploadTo::Express
            || size
                .checked_sub(ImageHead::SIZE as u32)
                .is_some_and(|size| (size as usize) < EXPRESS_CAPACITY);
        self.erased = fits;
        let took = match fits {
            true => took,
            false => Span::ZERO,
        };
        // The bootloader of a motor controller lies behind.
        self.flash.erase(
            0..match self.to {
                UploadTo::Motor => BOOTLOADER_OFFSET as usize,
                _ => usize::MAX,
            },
        );
        let reply = UploadReply::Erased { ok: fits.into() };
        Answers::none()
            .later(pause + took, Reply::Upload(reply))
            .once_it_stands()
    }

    fn erase_bootloader(&mut self, pause: Span) -> Answers {
        self.flash.erase(BOOTLOADER_OFFSET as usize..usize::MAX);
        let reply = UploadReply::BootloaderErased { ok: 1 };
        Answers::none()
            .later(pause + SECTOR_ERASE, Reply::Upload(reply))
            .releasing()
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> Answers {
        match self.to {
            UploadTo::Motor => {
                let ok = self.flash.write(offset, data);
                self.written(ok, offset)
            }
            UploadTo::Bms => {
                let mut padded = data.to_vec();
                padded.resize(data.len().next_multiple_of(BMS_WORD), 0);
                let ok = self.flash.write(offset, &padded);
                self.written(ok, offset)
            }
            // It counts without the head, and so does its acknowledgement (`EX main/commands.c:318-345`).
            UploadTo::Express => {
                let ok = self.erased && self.flash.write(offset, data);
                self.written(ok, offset.saturating_sub(ImageHead::SIZE as u32))
            }
        }
    }

    fn written(&self, ok: bool, offset: u32) -> Answers {
        let ack = WriteAck {
            ok: ok.into(),
            offset: self.tells_offset.then_some(offset),
        };
        Answers::from(Reply::Upload(UploadReply::Written(ack))).releasing()
    }

    /// Starts the new firmware. An Express looks at it before; the others leave that to their bootloader.
    fn jump(&mut self) -> Result<Answers, Silence> {
        Err(match (self.is_whole(), self.to) {
            (true, _) => Silence::StartsNewFirmware,
            (false, UploadTo::Express) => Silence::NewFirmwareRefused,
            (false, _) => Silence::StartsOldFirmware,
        })
    }

    /// Whether there is an image as long as its head says and with its CRC.
    fn is_whole(&self) -> bool {
        if self.to == UploadTo::Express && !self.erased {
            return false;
        }
        let head: Vec<u8> = self.flash.read(0, ImageHead::SIZE).collect();
        let Some(head) = ImageHead::read(&head) else {
            return false;
        };
        let size = head.image_size() as usize;
        let room = self.flash.capacity() - ImageHead::SIZE;
        if size == 0 || size > room {
            return false;
        }
        let image: Vec<u8> = self.flash.read(ImageHead::SIZE, size).collect();
        crc16(&image) == head.crc
    }
}

impl Service for Upload {
    fn request(
        &mut self,
        _: Time,
        request: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let Request::Upload(command) = request else {
            return None;
        };
        if self.is_for_others(command) {
            return Some(Err(Silence::ForOtherHardware));
        }
        Some(self.do_command(command))
    }

    /// What was written stays, but an Express must make room again.
    fn restart(&mut self, _: Time) {
        self.erased = false;
    }
}

#[cfg(test)]
mod tests;
