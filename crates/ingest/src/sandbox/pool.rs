//! The parent: hands files to workers and replaces those that die.

use super::{Reply, Request, frame};
use crate::formats::{Detected, detect, extract_as};
use base::{Document, Error, Kind, Limits, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::ffi::OsString;
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

/// How to start a worker.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program; usually the running one.
    pub program: PathBuf,
    /// The arguments that make it call [`super::worker_main`].
    pub args: Vec<OsString>,
}

/// Files before a worker is replaced, so that what a parser leaks does not add up.
const FILES_MAX: usize = 500;

/// Extracts documents, trusted formats here, others in workers. Shared by threads; each call uses one worker.
#[derive(Debug)]
pub struct ExtractorPool {
    command: WorkerCommand,
    limits: Limits,
    /// Workers that are not busy; `None` is one that was not started yet.
    idle: (Sender<Option<Worker>>, Receiver<Option<Worker>>),
}

impl ExtractorPool {
    /// A pool of at most `workers` processes, started when first needed.
    pub fn new(command: WorkerCommand, workers: usize, limits: Limits) -> Self {
        let idle = bounded(workers.max(1));
        for _ in 0..workers.max(1) {
            // There is room for exactly these.
            let _ = idle.0.send(None);
        }
        ExtractorPool { command, limits, idle }
    }

    /// What `bytes`, the content of the file `name`, is. Detection runs here and parses nothing.
    pub fn detect(&self, name: &str, bytes: &[u8]) -> Detected {
        detect(name, bytes)
    }

    /// The document in `bytes`.
    ///
    /// # Errors
    /// What the format reports; `Timeout` when the time limit passed; `BadInput` when the parser crashed.
    pub fn extract(&self, name: &str, bytes: &[u8]) -> Result<Document> {
        let format = self.detect(name, bytes).format(name)?;
        if format.trusted {
            return extract_as(format, name, bytes, &self.limits);
        }
        self.in_worker(format.name, name, bytes)
    }

    fn in_worker(&self, format: &str, name: &str, bytes: &[u8]) -> Result<Document> {
        let request = Request { format, name, bytes, limits: self.limits.clone() };
        let message = postcard::to_stdvec(&request)
            .map_err(|e| Error::new(Kind::Bug, format!("packing {name} for the worker")).because(e))?;
        let gone = || Error::new(Kind::Bug, "the pool of workers is closed");
        let slot = self.idle.1.recv().map_err(|_| gone())?;
        let (slot, result) = self.ask(slot, name, &message);
        self.idle.0.send(slot).map_err(|_| gone())?;
        result
    }

    /// Sends one request; gives back the worker if it is still good.
    fn ask(&self, slot: Option<Worker>, name: &str, message: &[u8]) -> (Option<Worker>, Result<Document>) {
        let mut slot = slot.filter(|w| w.files < FILES_MAX);
        // A worker that died while idle (killed from outside) is no fault of this file: try a fresh one.
        for fresh in [false, true] {
            let worker = match slot.take() {
                Some(worker) if !fresh => worker,
                _ => match Worker::start(&self.command) {
                    Ok(worker) => worker,
                    Err(error) => return (None, Err(error)),
                },
            };
            let was_fresh = worker.files == 0;
            let mut worker = worker;
            match frame::write(&mut worker.input, message) {
                Ok(()) => return self.reply(worker, name),
                Err(_) if !was_fresh => {}
                Err(_) => return (None, Err(worker.died(name))),
            }
        }
        (None, Err(Error::new(Kind::Io, format!("reading {name}: no worker process stays alive"))))
    }

    fn reply(&self, mut worker: Worker, name: &str) -> (Option<Worker>, Result<Document>) {
        match worker.replies.recv_timeout(self.limits.time) {
            Ok(reply) => {
                worker.files += 1;
                match postcard::from_bytes::<Reply>(&reply) {
                    Ok(reply) => (Some(worker), reply.result()),
                    Err(e) => {
                        let what = format!("reading {name}: the worker's answer is unreadable");
                        (None, Err(Error::new(Kind::Bug, what).because(e)))
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.limits.time.as_secs();
                let what = format!("reading {name} took longer than {seconds} s and was stopped");
                (
                    None,
                    Err(Error::new(Kind::Timeout, what).hint("raise ingest.time_s if the file is worth waiting for")),
                )
            }
            Err(RecvTimeoutError::Disconnected) => (None, Err(worker.died(name))),
        }
    }
}

/// A child process and the two ends of its pipes. Dropping it kills it.
#[derive(Debug)]
struct Worker {
    child: Child,
    input: ChildStdin,
    replies: Receiver<Vec<u8>>,
    files: usize,
}

impl Worker {
    fn start(command: &WorkerCommand) -> Result<Worker> {
        let mut start = Command::new(&command.program);
        start.args(&command.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Parsers need nothing from the environment, and its secrets are not theirs.
        start.env_clear();
        #[cfg(unix)]
        {
            // Ctrl-C is for the parent, which ends its workers itself.
            use std::os::unix::process::CommandExt;
            start.process_group(0);
        }
        let failed = |e: io::Error| {
            let what = format!("starting the extraction worker {}", command.program.display());
            Error::io(what, e).hint("untrusted files are parsed in a process of their own; check limits on processes")
        };
        let mut child = start.spawn().map_err(failed)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(io::Error::other("it has no pipes")));
        };
        let (sender, replies) = bounded(1);
        // Ends with the child: its end of the pipe closes.
        std::thread::spawn(move || {
            let mut output = BufReader::with_capacity(1 << 16, output);
            while let Ok(Some(reply)) = frame::read(&mut output) {
                if sender.send(reply).is_err() {
                    break;
                }
            }
        });
        Ok(Worker { child, input, replies, files: 0 })
    }

    /// Why the child ended.
    fn died(mut self, name: &str) -> Error {
        let why = match self.child.wait() {
            Ok(status) => describe(status),
            Err(e) => format!("ended in an unknown way ({e})"),
        };
        Error::new(Kind::BadInput, format!("reading {name}: the parser {why}"))
            .hint("the file is damaged, hostile or too large: open it in its own program and save it again")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only when the child has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        match status.signal() {
            Some(6) => return "ran out of memory or gave up (abort)".to_owned(),
            Some(9) => return "was killed by the system, probably for its memory".to_owned(),
            Some(11 | 7) => return "crashed (its stack overflowed, or memory was damaged)".to_owned(),
            Some(24) => return "used up its processor time".to_owned(),
            Some(signal) => return format!("was ended by signal {signal}"),
            None => {}
        }
    }
    format!("ended with {status}")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A pool whose worker is a line of shell.
    fn pool(script: &str, time: Duration) -> ExtractorPool {
        let args = ["-c", script].map(OsString::from).to_vec();
        let limits = Limits { time, ..Limits::default() };
        ExtractorPool::new(WorkerCommand { program: "/bin/sh".into(), args }, 1, limits)
    }

    fn failure(script: &str, time: Duration) -> Error {
        let pool = pool(script, time);
        let error = pool.in_worker("pdf", "a.pdf", b"x").unwrap_err();
        assert!(error.to_string().contains("a.pdf"), "{error:?}");
        // The pool lives on.
        assert_eq!(pool.in_worker("pdf", "b.pdf", b"x").unwrap_err().kind(), error.kind());
        error
    }

    #[test]
    fn a_hanging_parser_is_stopped() {
        let error = failure("sleep 1000", Duration::from_millis(100));
        assert_eq!(error.kind(), Kind::Timeout);
    }

    #[test]
    fn a_crash_names_the_file_and_the_way_it_died() {
        let long = Duration::from_secs(30);
        let error = failure("dd bs=4 count=1 of=/dev/null 2>/dev/null; kill -SEGV $$", long);
        assert!(error.to_string().contains("crashed"), "{error:?}");
        let error = failure("dd bs=4 count=1 of=/dev/null 2>/dev/null; kill -ABRT $$", long);
        assert!(error.to_string().contains("out of memory"), "{error:?}");
    }

    #[test]
    fn nonsense_from_a_worker_is_an_error() {
        let error = failure("printf '\\003\\000\\000\\000abc'; sleep 1000", Duration::from_secs(30));
        assert_eq!(error.kind(), Kind::Bug);
    }

    #[test]
    fn a_missing_program_is_named() {
        let command = WorkerCommand { program: "/nonexistent/worker".into(), args: Vec::new() };
        let error = ExtractorPool::new(command, 1, Limits::default()).in_worker("pdf", "a", b"").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/worker"), "{error:?}");
    }
}
