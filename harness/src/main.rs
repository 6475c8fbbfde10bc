//! `veschub-harness`: drives clients against the fake hub on the command line.

fn main() -> std::process::ExitCode {
    veschub_harness::cli::main()
}
