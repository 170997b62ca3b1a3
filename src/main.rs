//! The `entrepot` program. Everything it does is in the crate `server`.

use std::process::ExitCode;

/// Streams of uploads allocate and free in step on many threads, which this allocator returns to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::run()
}
