//! Builds this crate anew when a scenario or a capture comes or goes: the program brings them along.

fn main() {
    println!("cargo:rerun-if-changed=../../scenarios");
    println!("cargo:rerun-if-changed=../../captures");
}
