//! Running the program in a folder of its own.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A scratch folder in which the program runs, with its own cache and no settings from outside.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        World { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, making its folders.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, ready to run here.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ragstone"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RAGSTONE_") {
                command.env_remove(name);
            }
        }
        command.env("RAGSTONE_CACHE", self.path("cache")).env("HOME", self.folder.path()).env_remove("XDG_CONFIG_HOME");
        command
    }

    /// Runs and waits.
    pub fn run(&self, args: &[&str]) -> Done {
        Done::new(self.command(args).output().unwrap(), args)
    }

    /// Runs, expects exit code 0 and JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        let done = self.run(&all);
        assert_eq!(done.code, 0, "{done:?}");
        done.json()
    }
}

/// What a run said.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn new(output: Output, args: &[&str]) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        let done =
            Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) };
        assert!(!done.err.contains("panicked"), "{args:?}: {}", done.err);
        done
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not JSON ({e}): {self:?}"))
    }
}

/// Checks that every citation and hit is the slice of the extracted text that it claims to be.
pub fn check_slices(world: &World, items: &[Value], quote: &str) {
    for item in items {
        let source = item["source"].as_str().unwrap();
        let (start, end) = (item["start"].as_u64().unwrap() as usize, item["end"].as_u64().unwrap() as usize);
        let text = world.json(&["text", source])["text"].as_str().unwrap().to_owned();
        let slice: String = text.chars().skip(start).take(end - start).collect();
        assert_eq!(slice, item[quote].as_str().unwrap(), "{source} {start}..{end}");
    }
}
