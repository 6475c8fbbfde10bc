//! A capture that was compressed with gzip is read like any other.
//!
//! Capture programs write `.pcapng.gz` in one go, people append to them: several gzip members in a row are one
//! file. Whether it is compressed shows in the first two bytes, whatever the file is called.

use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1F, 0x8B];

/// A reader that unpacks what it reads, if that is compressed.
#[derive(Debug)]
pub(super) enum Unpacked<R> {
    /// Nothing was read yet.
    Fresh(Option<R>),
    Plain(Chain<Cursor<Vec<u8>>, R>),
    Gzip(Box<MultiGzDecoder<Chain<Cursor<Vec<u8>>, R>>>),
}

impl<R: Read> Unpacked<R> {
    pub(super) fn new(reader: R) -> Self {
        Self::Fresh(Some(reader))
    }

    pub(super) fn is_compressed(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    fn look(&mut self) -> io::Result<()> {
        if let Self::Fresh(reader) = self
            && let Some(mut reader) = reader.take()
        {
            let mut first = Vec::new();
            reader
                .by_ref()
                .take(GZIP.len() as u64)
                .read_to_end(&mut first)?;
            let compressed = first == GZIP;
            let whole = Cursor::new(first).chain(reader);
            *self = match compressed {
                true => Self::Gzip(Box::new(MultiGzDecoder::new(whole))),
                false => Self::Plain(whole),
            };
        }
        Ok(())
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.look()?;
        match self {
            // Only if the very first reading failed; it was reported then.
            Self::Fresh(_) => Ok(0),
            Self::Plain(reader) => reader.read(out),
            Self::Gzip(reader) => reader.read(out),
        }
    }
}
