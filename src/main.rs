//! The binary `app`: hands the command line over.

use std::process::ExitCode;

/// Many small short-lived values on many threads: measurably faster and flatter than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    vitrine::cli::main()
}
