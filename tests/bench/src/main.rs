//! Load and comparison programs.
fn main() {}
