//! The child: files in, documents out, until the pipe ends.

use super::{Reply, Request, frame};
use crate::formats::{extract_as, format};
use base::{Error, Kind, Limits};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::process::ExitCode;

/// Parsers recurse; the pages are only taken when touched.
const STACK_BYTES: usize = 256 << 20;

/// Serves requests from standard input until it ends.
pub fn worker_main() -> ExitCode {
    // A panic is answered as an error of its file; its text must not reach the user's terminal.
    std::panic::set_hook(Box::new(|_| {}));
    let result = own_output().and_then(|mut output| serve(&mut output));
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The pipe to the parent, kept from libraries that print: they get nothing to print to.
#[cfg(unix)]
fn own_output() -> io::Result<File> {
    let output = rustix::io::dup(io::stdout())?;
    let nothing = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nothing)?;
    Ok(File::from(output))
}

#[cfg(not(unix))]
fn own_output() -> io::Result<impl Write> {
    Ok(io::stdout())
}

fn serve(output: &mut impl Write) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    while let Some(message) = frame::read(&mut input)? {
        let reply = match postcard::from_bytes::<Request<'_>>(&message) {
            Ok(request) => answer(&request),
            Err(e) => Reply::new(Err(Error::new(Kind::Bug, "the parent sent an unreadable request").because(e))),
        };
        drop(message);
        let reply = postcard::to_stdvec(&reply).map_err(io::Error::other)?;
        frame::write(output, &reply)?;
    }
    Ok(())
}

fn answer(request: &Request<'_>) -> Reply {
    limit(&request.limits);
    let Some(format) = format(request.format) else {
        return Reply::new(Err(Error::new(Kind::Bug, format!("the worker knows no format {}", request.format))));
    };
    let work = || extract_as(format, request.name, request.bytes, &request.limits);
    let result = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            // Panics inside the parser are caught before; this one is ours.
            Ok(Err(_)) => Err(Error::new(Kind::Bug, format!("reading {}: the worker failed", request.name))),
            Err(e) => Err(Error::io("starting a thread to read the file", e)),
        }
    });
    Reply::new(result)
}

/// Takes limits for the next file. They are a second wall: the parent's clock and the parser's own bounds come
/// first, but an orphan must not run for ever, and a bomb must not take the machine's memory.
#[cfg(unix)]
fn limit(limits: &Limits) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let lower = |resource, value: u64| {
        let maximum = getrlimit(resource).maximum;
        let value = maximum.map_or(value, |m| m.min(value));
        // A system that refuses leaves us with the other wall.
        let _ = setrlimit(resource, Rlimit { current: Some(value), maximum });
    };
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec as u64;
    lower(Resource::Cpu, used + 2 * limits.time.as_secs().max(1) + 1);
    // Address space, so the stack and the program itself come on top.
    lower(Resource::As, limits.memory_bytes_max.saturating_add(2 * STACK_BYTES as u64));
    lower(Resource::Core, 0);
}

#[cfg(not(unix))]
fn limit(_: &Limits) {}
