//! The `ragstone` program; everything is in the library, where tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ragstone::cli()
}
