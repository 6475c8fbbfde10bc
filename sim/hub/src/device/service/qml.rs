//! Pages in QML that a device brings for VESC Tool: the one of its hardware, and one that a tool stores.

use std::{io::Write as _, time::Duration as Span};

use flate2::{Compression, write::ZlibEncoder};
use serde::Deserialize;
use veschub_wire::{
    CommandId, Reply, Request,
    command::{CodePart, FwVersion, LispCommand, LispReply, StoredCode},
};

use super::{MotorState, Service, flash::CodeStore};
use crate::{Silence, device::answer::Answers, mistake::Mistakes, time::Time};

/// The commands about pages.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::GET_QML_UI_HW,
    CommandId::GET_QML_UI_APP,
    CommandId::QMLUI_ERASE,
    CommandId::QMLUI_WRITE,
];

/// How much a device stores (`MC flash_helper.c`, one sector of 128 KiB; an Express has as much).
const CAPACITY: usize = 128 * 1024 - 6;
/// How long erasing takes; inferred, see the scripts.
const ERASE: Span = Span::from_secs(1);

/// The pages of a device.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct QmlSettings {
    /// The text of the page that is stored; without it, none.
    pub app: Option<String>,
    /// Whether that page takes the whole screen.
    pub full_screen: bool,
    /// The text of the page that the hardware brings; without it, requests for it are not answered.
    pub hardware: Option<String>,
}

impl QmlSettings {
    /// Looks for mistakes.
    pub fn check(&self, mistakes: &mut Mistakes) {
        for (key, text) in [("app", &self.app), ("hardware", &self.hardware)] {
            if let Some(text) = text
                && compressed(text).len() > CAPACITY - StoredCode::HEAD
            {
                mistakes
                    .add(key, "the page is too long")
                    .help(format!("compressed it may have {CAPACITY} bytes"));
            }
        }
    }

    /// The stored page.
    fn stored(&self) -> Option<StoredCode> {
        let text = self.app.as_deref()?;
        Some(StoredCode {
            flags: if self.full_screen { 2 } else { 1 },
            code: compressed(text),
        })
    }
}

/// The size of a text and the text as zlib, as VESC Tool has it from Qt.
fn compressed(text: &str) -> Vec<u8> {
    let size = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut encoder = ZlibEncoder::new(size.to_be_bytes().to_vec(), Compression::best());
    // Writing to memory does not fail.
    let written = encoder.write_all(text.as_bytes());
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// The pages of a device.
#[derive(Debug)]
pub(in crate::device) struct Qml {
    app: CodeStore,
    hardware: Option<CodeStore>,
    /// Whether it says that no page is stored.
    tells_of_none: bool,
}

impl Qml {
    /// The pages that a scenario gives.
    pub(in crate::device) fn new(settings: &QmlSettings) -> Self {
        let hardware = settings.hardware.as_deref().map(|text| StoredCode {
            flags: 1,
            code: compressed(text),
        });
        Self {
            app: CodeStore::new(CAPACITY, settings.stored().as_ref()),
            hardware: hardware.map(|page| CodeStore::new(CAPACITY, Some(&page))),
            tells_of_none: true,
        }
    }

    /// The same for firmware that is silent where no page is stored: motor controllers before 6.00.
    pub(in crate::device) fn silent_about_none(self) -> Self {
        Self {
            tells_of_none: false,
            ..self
        }
    }

    /// What FW_VERSION says of the stored page: 0 none, 1 one, 2 one that fills the screen.
    fn app_flag(&mut self) -> u8 {
        self.app.code().map_or(0, |code| code.flags as u8)
    }

    /// The same of the hardware's.
    fn hardware_flag(&self) -> u8 {
        self.hardware.is_some().into()
    }
}

impl Service for Qml {
    fn request(
        &mut self,
        _: Time,
        request: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let Request::Lisp(command) = request else {
            return None;
        };
        let part = |reply: fn(CodePart) -> LispReply| move |part| Reply::Lisp(reply(part)).into();
        Some(match command {
            LispCommand::QmlHardware(asked) => match &mut self.hardware {
                Some(page) => page.read(*asked).map(part(LispReply::QmlHardware)),
                None => Err(Silence::NoHardwarePage),
            },
            LispCommand::QmlApp(_) if !self.tells_of_none && self.app.code().is_none() => {
                Err(Silence::NoStoredPage)
            }
            LispCommand::QmlApp(asked) => self.app.read(*asked).map(part(LispReply::QmlApp)),
            LispCommand::QmlWrite(piece) => {
                let ack = self.app.write(piece);
                Ok(Answers::from(Reply::Lisp(LispReply::QmlWritten(ack))).releasing())
            }
            LispCommand::QmlErase(_) => {
                self.app.erase();
                let erased = Reply::Lisp(LispReply::QmlErased { ok: 1 });
                Ok(Answers::none().later(ERASE, erased).releasing())
            }
            _ => return None,
        })
    }

    fn tell_version(&mut self, version: &mut FwVersion) {
        version.qml_hardware = Some(self.hardware_flag());
        version.qml_app = Some(self.app_flag());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;
    use veschub_wire::command::{CodeErase, CodeRequest, CodeWrite};

    use super::*;

    fn ask(qml: &mut Qml, command: LispCommand) -> Result<Vec<Reply>, Silence> {
        let request = Request::Lisp(command);
        let answers = qml.request(Time::ZERO, &request, &MotorState::default());
        let answers = answers.unwrap()?;
        Ok(answers
            .into_iter()
            .filter_map(|(_, answer)| Some(*answer.truth?))
            .collect())
    }

    fn all(length: i32) -> CodeRequest {
        CodeRequest { length, offset: 0 }
    }

    #[test]
    fn without_a_page_the_app_s_is_all_zeros_and_the_hardware_s_is_silence() {
        let mut qml = Qml::new(&QmlSettings::default());
        let none = Reply::Lisp(LispReply::QmlApp(CodePart::default()));
        assert_eq!(none.encode(), [118, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(ask(&mut qml, LispCommand::QmlApp(all(10))), Ok(vec![none]));
        let why = ask(&mut qml, LispCommand::QmlHardware(all(10)));
        assert_eq!(why, Err(Silence::NoHardwarePage));
        assert_eq!((qml.app_flag(), qml.hardware_flag()), (0, 0));
        let mut old = Qml::new(&QmlSettings::default()).silent_about_none();
        let why = ask(&mut old, LispCommand::QmlApp(all(10)));
        assert_eq!(why, Err(Silence::NoStoredPage));
    }

    #[test]
    fn a_page_is_read_as_qt_packs_it_and_its_flag_tells_whether_it_fills_the_screen() {
        let text = "import QtQuick 2.7\nItem {}\n";
        let mut qml = Qml::new(&QmlSettings {
            app: Some(text.to_owned()),
            full_screen: true,
            hardware: None,
        });
        assert_eq!(qml.app_flag(), 2);
        let head = ask(&mut qml, LispCommand::QmlApp(all(4))).unwrap();
        let [Reply::Lisp(LispReply::QmlApp(head))] = &head[..] else {
            panic!("{head:?}");
        };
        assert_eq!(head.data, (text.len() as u32).to_be_bytes());
        let whole = ask(&mut qml, LispCommand::QmlApp(all(head.total))).unwrap();
        let [Reply::Lisp(LispReply::QmlApp(whole))] = &whole[..] else {
            panic!("{whole:?}");
        };
        let mut read = String::new();
        ZlibDecoder::new(&whole.data[4..])
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, text);
    }

    #[test]
    fn a_page_is_erased_and_another_one_stored() {
        let mut qml = Qml::new(&QmlSettings {
            app: Some("Item {}".to_owned()),
            ..QmlSettings::default()
        });
        assert_eq!(qml.app_flag(), 1);
        ask(&mut qml, LispCommand::QmlErase(CodeErase::default())).unwrap();
        assert_eq!(qml.app_flag(), 0);
        let data = StoredCode {
            flags: 2,
            code: vec![1, 2, 3],
        };
        let piece = CodeWrite {
            offset: 0,
            data: data.pack(),
        };
        ask(&mut qml, LispCommand::QmlWrite(piece)).unwrap();
        assert_eq!(qml.app_flag(), 2);
    }
}
