//! The files on the memory card of an Express.
//!
//! ```text
//! list     →  8C | path str | from str                              ←  8C | more u8 | directory u8, size i32, name str ...
//! read     →  8D | path str | offset i32                            ←  8D | offset i32 | size i32 | data
//! write    →  8E | path str | offset i32 | size i32 | data          ←  8E | offset i32 | ok u8
//! mkdir    →  8F | path str                                         ←  8F | ok u8
//! remove   →  90 | path str                                         ←  90 | ok u8
//! ```
//!
//! `vesc_express main/commands.c:486-760`; read and written by `vesc_tool commands.cpp`.

use super::prelude::*;
use crate::number::Text;

body! {
    /// Some of the entries of a directory.
    pub struct FileList {
        always {
            /// Whether there are more, behind the last one here.
            more: u8 = Shown::Flag,
        }
        repeated {
            /// Whether it is a directory.
            directory: u8 = Shown::Flag,
            /// Bytes in a file, entries in a directory.
            sizes: i32,
            /// Its name.
            names: Text,
        }
    }
}

commands! {
    /// A command about files.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FileCommand {
        /// 140: what is in a directory?
        FILE_LIST => List {
            /// The directory.
            path: Text,
            /// The name behind which to go on; empty to begin.
            from: Text = Shown::Index,
        },
        /// 141: a part of a file.
        FILE_READ => Read {
            /// The file.
            path: Text,
            /// Where the part starts.
            offset: i32,
        },
        /// 142: writes a part of a file.
        FILE_WRITE => Write {
            /// The file.
            path: Text,
            /// Where the part goes; at 0 the file begins anew.
            offset: i32,
            /// How long the file will be.
            size: i32,
            /// The part.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 143: makes a directory.
        FILE_MKDIR => MakeDirectory {
            /// The directory.
            path: Text,
        },
        /// 144: removes a file, or a directory with what is in it.
        FILE_REMOVE => Remove {
            /// The file or directory.
            path: Text,
        },
    } or {}
}

commands! {
    /// What a device says of its files.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FileReply {
        /// 140: some of the entries of a directory.
        FILE_LIST => List(FileList),
        /// 141: a part of a file.
        FILE_READ => Read {
            /// Where the part starts.
            offset: i32,
            /// How long the file is; 0 if it cannot be opened.
            size: i32,
            /// The part.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 142: whether a part was written.
        FILE_WRITE => Written {
            /// Where it went.
            offset: i32,
            /// Whether it was.
            ok: u8 = Shown::Flag,
        },
        /// 143: whether the directory was made.
        FILE_MKDIR => DirectoryMade {
            /// Whether it was.
            ok: u8 = Shown::Flag,
        },
        /// 144: whether it was removed.
        FILE_REMOVE => Removed {
            /// Whether it was.
            ok: u8 = Shown::Flag,
        },
    } or {}
}
