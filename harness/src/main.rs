//! `veschub-harness`: the command line that tests clients against the simulated hub.

fn main() -> std::process::ExitCode {
    veschub_harness::cli::main()
}
