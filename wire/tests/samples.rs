//! Every sample payload under `testdata/` decodes to its snapshot and encodes to itself.

use std::{
    collections::BTreeSet,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use veschub_wire::{CommandId, Decoded, Reply, Request, view::View};

struct Sample {
    /// `<command>__<who>-<firmware>`, of which the command is the folder.
    name: String,
    command: String,
    to_device: bool,
    payload: Vec<u8>,
}

impl Sample {
    /// Reads bytes in hex with comments after `#`, one of which tells the direction.
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(path)?;
        let part = |path: Option<&Path>| Some(path?.file_name()?.to_str()?.to_owned());
        let command = part(path.parent()).ok_or("no folder")?;
        let file = part(Some(&path.with_extension(""))).ok_or("no name")?;
        let to_device = match text
            .lines()
            .find_map(|line| line.strip_prefix("# direction: "))
        {
            Some("to-device") => true,
            Some("to-tool") => false,
            other => return Err(format!("the direction is {other:?}").into()),
        };
        let mut payload = Vec::new();
        for line in text.lines() {
            let bytes = line.split('#').next().unwrap_or_default();
            for byte in bytes.split_whitespace() {
                payload.push(u8::from_str_radix(byte, 16)?);
            }
        }
        Ok(Self {
            name: format!("{command}__{file}"),
            command,
            to_device,
            payload,
        })
    }

    /// What was decoded, a line for each field.
    fn told(&self) -> Result<String, Box<dyn Error>> {
        if self.to_device {
            let decoded = Request::decode(&self.payload)?;
            self.check(decoded.body.id(), decoded.body.encode(), &decoded.trailing);
            tell(&decoded)
        } else {
            let decoded = Reply::decode(&self.payload)?;
            self.check(decoded.body.id(), decoded.body.encode(), &decoded.trailing);
            tell(&decoded)
        }
    }

    fn check(&self, id: CommandId, body: Vec<u8>, trailing: &[u8]) {
        assert_eq!(id.to_string().to_lowercase(), self.command, "{}", self.name);
        let again = [&body, trailing].concat();
        assert_eq!(
            again, self.payload,
            "{} does not encode to itself",
            self.name
        );
    }
}

fn tell<T: View>(decoded: &Decoded<T>) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for (name, value) in decoded.fields().iter() {
        writeln!(text, "{name} = {value}")?;
    }
    Ok(text)
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Box<dyn Error>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}

#[test]
fn every_sample_decodes_to_its_snapshot_and_encodes_to_itself() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut told = BTreeSet::new();
    for command in files(&here.join("testdata"))? {
        for path in files(&command)? {
            let context = |error| format!("{}: {error}", path.display());
            let sample = Sample::read(&path).map_err(context)?;
            let text = sample.told().map_err(context)?;
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(sample.name.as_str(), text);
            });
            told.insert(format!("{}.snap", sample.name));
        }
    }
    assert!(told.len() > 50, "only {} samples were found", told.len());
    for path in files(&here.join("tests/snapshots"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let orphan = name.ends_with(".snap") && !told.contains(&*name);
        assert!(!orphan, "{name} is the snapshot of no sample");
    }
    Ok(())
}

#[test]
fn every_truncation_of_every_sample_is_refused_or_encodes_to_itself() -> Result<(), Box<dyn Error>>
{
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for command in files(&here.join("testdata"))? {
        for path in files(&command)? {
            let sample = Sample::read(&path)?;
            for len in 1..sample.payload.len() {
                let cut = &sample.payload[..len];
                let again = if sample.to_device {
                    Request::decode(cut).map(|told| [told.body.encode(), told.trailing].concat())
                } else {
                    Reply::decode(cut).map(|told| [told.body.encode(), told.trailing].concat())
                };
                if let Ok(again) = again {
                    assert_eq!(again, cut, "{} cut to {len} bytes", sample.name);
                }
            }
        }
    }
    Ok(())
}
