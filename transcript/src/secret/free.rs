//! Commands whose fields are known, but not what people put into them: files, scripts, pages, firmware and names.

use veschub_wire::command::{
    FileCommand, FileReply, LispCommand, LispReply, LogCommand, UploadCommand,
};
use veschub_wire::{Reply, Request};

/// Whether a request carries what a person wrote.
pub(super) fn in_request(request: &Request) -> bool {
    match request {
        Request::Upload(command) => matches!(
            command,
            UploadCommand::Write { .. }
                | UploadCommand::WriteAllCan { .. }
                | UploadCommand::WriteLzo { .. }
                | UploadCommand::WriteAllCanLzo { .. }
                | UploadCommand::WriteHw { .. }
                | UploadCommand::WriteAllCanHw { .. }
        ),
        Request::Lisp(command) => matches!(
            command,
            LispCommand::Write(_)
                | LispCommand::QmlWrite(_)
                | LispCommand::Repl { .. }
                | LispCommand::Stream(_)
        ),
        Request::File(
            FileCommand::List { .. }
            | FileCommand::Read { .. }
            | FileCommand::Write { .. }
            | FileCommand::MakeDirectory { .. }
            | FileCommand::Remove { .. },
        ) => true,
        Request::Log(command) => in_log(command),
        _ => false,
    }
}

/// Whether a reply carries what a person wrote.
pub(super) fn in_reply(reply: &Reply) -> bool {
    match reply {
        Reply::Lisp(reply) => matches!(
            reply,
            LispReply::Read(_)
                | LispReply::QmlApp(_)
                | LispReply::QmlHardware(_)
                | LispReply::Stats(_)
                | LispReply::Print { .. }
        ),
        Reply::File(reply) => matches!(reply, FileReply::List(_) | FileReply::Read { .. }),
        Reply::Log(command) => in_log(command),
        _ => false,
    }
}

fn in_log(command: &LogCommand) -> bool {
    matches!(command, LogCommand::Field(_))
}
