//! Where files come from: what a scenario includes, its series and captures. This crate itself reads no disk.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use veschub_hub::{device::Device, rng::Seed};
use veschub_transcript::Transcript;

use crate::{
    code::Code,
    error::ScenarioError,
    source::Source,
    yaml::{MAX_BYTES, too_large},
};

/// The world around a scenario: the files that it names, and what can be inferred from a recording.
pub trait Files: fmt::Debug + Send + Sync {
    /// Opens a file for reading from its first byte.
    ///
    /// # Errors
    /// If there is no such file, or it cannot be read; messages tell a missing file, a directory and a file without
    /// permission apart by the kind of the error.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>>;

    /// One path for every way to write it, so that a file that includes itself is found out.
    fn identity(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    /// Infers a device from a recording, so that `replay: { unknown: synthetic }` can answer what was not recorded:
    /// the transcript, the device's id in it, and the seed.
    ///
    /// # Errors
    /// If nothing can be inferred.
    fn stand_in(
        &self,
        transcript: &Transcript,
        id: Option<&str>,
        seed: Seed,
    ) -> Result<Box<dyn Device>, Box<dyn Error>> {
        let _ = (transcript, id, seed);
        Err("this program cannot infer a device from a recording".into())
    }
}

/// For a scenario that stands alone: there is no file.
#[derive(Debug)]
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn open(&self, _: &Path) -> io::Result<Box<dyn Read>> {
        Err(ErrorKind::NotFound.into())
    }
}

/// Reads the text of a scenario, at most [`MAX_BYTES`] of it.
pub(crate) fn read_text(files: &dyn Files, path: &Path) -> Result<String, ScenarioError> {
    let name = path.display().to_string();
    let refuse = |message: &str| {
        ScenarioError::new(&Source::new(&name, ""), None, message).coded(Code::Unreadable)
    };
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => {
            refuse("no such file").help("check the path, which starts from the current directory")
        }
        ErrorKind::PermissionDenied => {
            refuse("the file may not be read").help("check its permissions")
        }
        ErrorKind::IsADirectory => {
            refuse("a directory is not a scenario").help("name a YAML file in it")
        }
        _ => refuse(&format!("the file cannot be read: {error}")),
    };
    let mut bytes = Vec::new();
    files
        .open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large(&name, bytes.len()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        not_utf8(&name, error.as_bytes(), valid)
    })
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> ScenarioError {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let source = Source::new(name, "");
        return ScenarioError::new(&source, None, "the file is UTF-16, wanted UTF-8")
            .coded(Code::Unreadable)
            .help("save it again with the encoding UTF-8");
    }
    let source = Source::new(name, &String::from_utf8_lossy(bytes));
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let shown = '\u{FFFD}'.len_utf8();
    let message = format!("the file is not UTF-8: byte 0x{byte:02x}");
    ScenarioError::new(&source, Some(valid..valid + shown), message)
        .coded(Code::Unreadable)
        .label("this character is in another encoding")
        .help("save the file again with the encoding UTF-8")
}

#[cfg(test)]
pub(crate) mod memory {
    //! Files that are none, for tests.

    use std::{
        collections::BTreeMap,
        io::{self, Cursor, ErrorKind, Read},
        path::{Component, Path, PathBuf},
    };

    use super::Files;

    #[derive(Debug, Default)]
    pub(crate) struct Memory(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

    impl Memory {
        pub(crate) fn of(files: &[(&str, &str)]) -> Self {
            let files = files.iter();
            Self(
                files
                    .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
                    .collect(),
            )
        }
    }

    impl Files for Memory {
        fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
            match self.0.get(&self.identity(path)) {
                Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
                None => Err(ErrorKind::NotFound.into()),
            }
        }

        fn identity(&self, path: &Path) -> PathBuf {
            let plain = |part: &Component<'_>| !matches!(part, Component::CurDir);
            path.components().filter(plain).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, path::Path};

    use super::{Files, MAX_BYTES, memory::Memory, read_text};

    fn drawn(name: &str, content: &[u8]) -> String {
        let mut files = Memory::default();
        files.0.insert(name.into(), content.to_vec());
        read_text(&files, Path::new(name)).unwrap_err().to_string()
    }

    /// Files that cannot be opened, all for the same reason.
    #[derive(Debug)]
    struct Refusing(io::ErrorKind);

    impl Files for Refusing {
        fn open(&self, _: &Path) -> io::Result<Box<dyn io::Read>> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_file_is_read_as_it_is() {
        let files = Memory::of(&[("good.yaml", "version: 1\n")]);
        assert_eq!(
            read_text(&files, Path::new("good.yaml")).unwrap(),
            "version: 1\n"
        );
    }

    #[test]
    fn a_file_that_cannot_be_opened_says_why() {
        let told = |kind| {
            let error = read_text(&Refusing(kind), Path::new("none.yaml")).unwrap_err();
            error.to_string()
        };
        insta::assert_snapshot!(told(io::ErrorKind::NotFound), @"
        error[E001]: no such file
        --> none.yaml
         = help: check the path, which starts from the current directory
        ");
        insta::assert_snapshot!(told(io::ErrorKind::IsADirectory), @"
        error[E001]: a directory is not a scenario
        --> none.yaml
         = help: name a YAML file in it
        ");
        insta::assert_snapshot!(told(io::ErrorKind::PermissionDenied), @"
        error[E001]: the file may not be read
        --> none.yaml
         = help: check its permissions
        ");
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_by_its_size() {
        let drawn = drawn("large.yaml", &vec![b'#'; MAX_BYTES + 1]);
        insta::assert_snapshot!(drawn, @"
        error[E007]: the file is too large: 1048577 bytes or more, at most 1048576 are read
        --> large.yaml
         = help: split it into several scenarios
        ");
    }

    #[test]
    fn a_file_in_another_encoding_shows_the_first_bad_byte() {
        let drawn = drawn("latin.yaml", b"version: 1\nabout: Pr\xfcfstand\n");
        insta::assert_snapshot!(drawn, @"
        error[E001]: the file is not UTF-8: byte 0xfc
         --> latin.yaml:2:10
          |
        2 | about: Pr�fstand
          |          ^ this character is in another encoding
          |
          = help: save the file again with the encoding UTF-8
        ");
    }

    #[test]
    fn a_file_in_utf_16_is_recognised() {
        let drawn = drawn("wide.yaml", b"\xff\xfev\0e\0r\0");
        insta::assert_snapshot!(drawn, @"
        error[E001]: the file is UTF-16, wanted UTF-8
        --> wide.yaml
         = help: save it again with the encoding UTF-8
        ");
    }
}
