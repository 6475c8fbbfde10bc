//! What a program makes of its own command line: what it is asked to do, and completions and man pages for a shell and
//! for `man`.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Command, Parser};
use clap_complete::Shell;
use veschub_transcript::foreign::visible_styled;

/// What a program is asked to do. If it is to help, or cannot be asked that, this is said, and there is only the code
/// to exit with.
///
/// # Errors
/// The exit code.
pub fn parse<P: Parser>(args: impl IntoIterator<Item = OsString>) -> Result<P, ExitCode> {
    P::try_parse_from(args).map_err(|error| {
        // An argument may be the name of a file, which others have chosen.
        let text = visible_styled(&error.render().ansi().to_string());
        let _ = match error.use_stderr() {
            true => anstream::stderr().lock().write_all(text.as_bytes()),
            false => anstream::stdout().lock().write_all(text.as_bytes()),
        };
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Which shell completions are for.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Where man pages go.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The folder to write them to, one file for the program and one for each command; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl CompletionsArgs {
    /// Prints the completions of a program on stdout.
    ///
    /// # Errors
    /// If stdout does not take them.
    pub fn print(self, mut program: Command) -> io::Result<()> {
        let name = program.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program, name, &mut text);
        io::stdout().lock().write_all(&text)
    }
}

impl ManArgs {
    /// The folder that was named.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the man pages of a program; files of an earlier version are replaced.
    ///
    /// # Errors
    /// If the folder cannot be made or a file cannot be written.
    pub fn write(&self, program: Command) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        clap_mangen::generate_to(program, &self.folder)
    }
}
