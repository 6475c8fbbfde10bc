//! Scripts in LispBM, and the QML page of an application: code that a device stores, and what runs of it.
//!
//! ```text
//! read     →  82 (75, 76: QML) | length i32 | offset i32    ←  the id | total i32 | offset i32 | data
//! erase    →  84 (78: QML) | size i32, may be missing        ←  the id | ok u8
//! write    →  83 (79: QML) | offset u32 | data               ←  the id | ok u8 | offset u32
//! run      →  85 | on u8                                     ←  85 | ok u8
//! stats    →  86 | all u8, may be missing                    ←  86 | 4 × f16×1e2 % | result str | name str, f32a ...
//! repl     →  8A | text                                      ←  87 | text, any number of them
//! stream   →  8B | offset i32 | total i32 | mode i8 | data   ←  8B | offset i32 | result i16
//! ```
//!
//! `bldc lispBM/lispif.c:180-649`, `vesc_express main/lispif.c:238-690`, `vesc_tool codeloader.cpp:375-440`.

use super::prelude::*;
use crate::{
    crc16,
    number::{F16, Float, Text},
};

body! {
    /// A part of stored code, as 117, 118 and 130 ask for it.
    #[derive(Copy)]
    pub struct CodeRequest {
        always {
            /// Bytes wanted.
            length: i32,
            /// Where they start.
            offset: i32,
        }
    }
}

body! {
    /// A part of stored code; all 0 where there is none.
    pub struct CodePart {
        always {
            /// Size of the whole, in bytes.
            total: i32,
            /// Where this part starts.
            offset: i32,
            /// The part.
            data: Vec<u8> = Rest::Bytes,
        }
    }
}

body! {
    /// Erasing stored code.
    #[derive(Copy)]
    pub struct CodeErase {
        since "5.03" {
            /// The size of what will be written, in bytes. Firmware takes the request without it.
            size: i32,
        }
    }
}

body! {
    /// A piece of code to store.
    pub struct CodeWrite {
        always {
            /// Where it goes.
            offset: u32,
            /// The piece.
            data: Vec<u8> = Rest::Bytes,
        }
    }
}

body! {
    /// The acknowledgement of such a piece.
    #[derive(Copy)]
    pub struct CodeAck {
        always {
            /// Whether it was written.
            ok: u8 = Shown::Flag,
            /// Where it went.
            offset: u32,
        }
    }
}

body! {
    /// Which variables to report.
    #[derive(Copy)]
    pub struct LispStatsRequest {
        since "6.00" {
            /// 0 for those only whose names begin with `vt`; without it, all.
            all: u8 = Shown::Flag,
        }
    }
}

body! {
    /// How a script does, and the numbers among its variables.
    pub struct LispStats {
        always {
            /// Its part of the processor's time, %.
            cpu_percent: F16<100>,
            /// How full its heap is, %.
            heap_percent: F16<100>,
            /// How full its memory is, %.
            memory_percent: F16<100>,
            /// How full its stack is, %; an Express says 0.
            stack_percent: F16<100>,
            /// What it last evaluated; an Express leaves it empty.
            result: Text,
        }
        repeated {
            /// The names of the variables.
            names: Text,
            /// What each of them holds.
            values: Float,
        }
    }
}

body! {
    /// A piece of a script to run without storing it.
    pub struct LispStream {
        always {
            /// Where it stands in the script.
            offset: i32,
            /// The size of the script, in bytes.
            total: i32,
            /// What becomes of the script that runs, at offset 0: 0 it stays, 1 empty restart, 2 restart with the stored code.
            mode: i8,
            /// The piece.
            data: Vec<u8> = Rest::Bytes,
        }
    }
}

commands! {
    /// A command about scripts and pages.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum LispCommand {
        /// 117: a part of the QML page that the hardware brings.
        GET_QML_UI_HW => QmlHardware(CodeRequest),
        /// 118: a part of the QML page that is stored.
        GET_QML_UI_APP => QmlApp(CodeRequest),
        /// 120: erases the stored QML page.
        QMLUI_ERASE => QmlErase(CodeErase),
        /// 121: stores a piece of a QML page.
        QMLUI_WRITE => QmlWrite(CodeWrite),
        /// 130: a part of the stored script.
        LISP_READ_CODE => Read(CodeRequest),
        /// 131: stores a piece of a script.
        LISP_WRITE_CODE => Write(CodeWrite),
        /// 132: erases the stored script.
        LISP_ERASE_CODE => Erase(CodeErase),
        /// 133: starts the stored script anew, or stops it.
        LISP_SET_RUNNING => SetRunning {
            /// Not 0 to start it.
            running: u8 = Shown::Flag,
        },
        /// 134: how the script does.
        LISP_GET_STATS => Stats(LispStatsRequest),
        /// 138: evaluates a text; what comes of it is printed.
        LISP_REPL_CMD => Repl {
            /// The text, with or without a NUL at its end.
            text: Vec<u8> = Rest::Line,
        },
        /// 139: runs a script without storing it.
        LISP_STREAM_CODE => Stream(LispStream),
    } or {}
}

commands! {
    /// What a device says of scripts and pages.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum LispReply {
        /// 117: a part of the QML page that the hardware brings.
        GET_QML_UI_HW => QmlHardware(CodePart),
        /// 118: a part of the QML page that is stored.
        GET_QML_UI_APP => QmlApp(CodePart),
        /// 120: whether the stored QML page is erased.
        QMLUI_ERASE => QmlErased {
            /// Whether it is.
            ok: u8 = Shown::Flag,
        },
        /// 121: whether a piece of a QML page was stored.
        QMLUI_WRITE => QmlWritten(CodeAck),
        /// 130: a part of the stored script.
        LISP_READ_CODE => Read(CodePart),
        /// 131: whether a piece of a script was stored.
        LISP_WRITE_CODE => Written(CodeAck),
        /// 132: whether the stored script is erased.
        LISP_ERASE_CODE => Erased {
            /// Whether it is.
            ok: u8 = Shown::Flag,
        },
        /// 133: whether the script runs, or is stopped, as was asked.
        LISP_SET_RUNNING => SetRunning {
            /// Whether it is so.
            ok: u8 = Shown::Flag,
        },
        /// 134: how the script does.
        LISP_GET_STATS => Stats(LispStats),
        /// 135: a text of the script's, asked for or not.
        LISP_PRINT => Print {
            /// The text.
            text: Vec<u8> = Rest::Line,
        },
        /// 139: what became of a piece of a script.
        LISP_STREAM_CODE => Streamed {
            /// Where the piece stands in the script.
            offset: i32,
            /// 0, or what went wrong: -1 no script runs, -2 the one before is not done, -3 it does not pause, -4 it does not
            /// start, -5 it does not read on, -6 it ended, -15 there is no stream.
            result: i16,
        },
    } or {}
}

/// Code as a device stores it: its size, a CRC-16 and flags stand before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCode {
    /// Of a QML page: 1 a page, 2 one that fills the screen. Of a script 0.
    pub flags: u16,
    /// What can be read back: of a script the text, a NUL and its imports, of a QML page the compressed text.
    pub code: Vec<u8>,
}

impl StoredCode {
    /// How many bytes stand before the code.
    pub const HEAD: usize = 8;

    /// A script without imports, as VESC Tool makes it (`vesc_tool codeloader.cpp:300-390`).
    #[must_use]
    pub fn script(text: &[u8]) -> Self {
        let mut code = text.to_vec();
        // The closing NUL, and no imports.
        code.extend([0, 0, 0]);
        Self { flags: 0, code }
    }

    /// The bytes to write, from offset 0 on. The CRC covers what follows it.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut covered = self.flags.to_be_bytes().to_vec();
        covered.extend(&self.code);
        let size = u32::try_from(self.code.len()).unwrap_or(u32::MAX);
        [
            &size.to_be_bytes()[..],
            &crc16(&covered).to_be_bytes(),
            &covered,
        ]
        .concat()
    }

    /// The code in these bytes, whatever follows it; `None` if it is not whole (`bldc flash_helper.c:472-490`).
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(6)?;
        let &[a, b, c, d, high, low] = head else {
            return None;
        };
        let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let covered = rest.get(..size.checked_add(2)?)?;
        if crc16(covered) != u16::from_be_bytes([high, low]) || size == 0 {
            return None;
        }
        let (&[first, second], code) = covered.split_first_chunk()?;
        Some(Self {
            flags: u16::from_be_bytes([first, second]),
            code: code.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_code_is_read_back_unless_a_byte_of_it_differs() {
        let script = StoredCode::script(b"(print 1)");
        let mut bytes = script.pack();
        assert_eq!(bytes.len(), 8 + 12);
        bytes.extend([0xFF; 40]);
        assert_eq!(StoredCode::unpack(&bytes), Some(script));
        for at in 0..20 {
            bytes[at] ^= 1;
            assert_eq!(StoredCode::unpack(&bytes), None, "byte {at}");
            bytes[at] ^= 1;
        }
        assert_eq!(StoredCode::unpack(&[0xFF; 40]), None);
        assert_eq!(StoredCode::unpack(&bytes[..19]), None);
        assert_eq!(StoredCode::unpack(&[0, 0, 0]), None);
    }
}
