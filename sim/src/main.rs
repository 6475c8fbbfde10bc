//! `veschub-sim`: a fake VESCHub on the command line.

fn main() -> std::process::ExitCode {
    veschub_sim::cli::main()
}
