//! What people and machines really send.

use crate::run::{Done, World};
use std::process::Stdio;

fn failed<'a>(summary: &'a serde_json::Value, path: &str) -> &'a str {
    let list = summary["failed"].as_array().unwrap();
    let row = list.iter().find(|r| r["path"] == path).unwrap_or_else(|| panic!("{path} not failed: {summary}"));
    row["reason"].as_str().unwrap()
}

#[test]
fn odd_files_do_not_stop_the_batch() {
    let world = World::new();
    world.write("d/good.txt", "The ferry leaves at seven in the morning.");
    world.write("d/empty.txt", "");
    world.write("d/one.txt", "x");
    world.write("d/blank.txt", " \n\t\n ".repeat(100));
    world.write("d/zeros.bin", vec![0u8; 1 << 20]);
    world.write("d/broken.pdf", "%PDF-1.7\n1 0 obj << /Type /Catalog");
    world.write("d/broken.docx", b"PK\x03\x04 not really a zip");
    world.write("d/deep.json", "[".repeat(100_000));
    world.write("d/bom.txt", "\u{feff}The bakery opens at six.");
    world.write("d/latin1.txt", b"Caf\xe9 Ol\xe9 serves th\xe9 until midnight, and the ca\xefman sleeps.");
    world.write("d/same.txt", "aaaa".repeat(100_000));
    let done = world.run(&["index", "d", "--json"]);
    assert_eq!(done.code, 3, "{done:?}");
    let summary = done.json();
    for path in ["d/broken.pdf", "d/broken.docx", "d/deep.json"] {
        assert!(!failed(&summary, path).is_empty());
    }
    let answer = world.json(&["ask", "When does the ferry leave?"]);
    assert!(answer["answer"].as_str().unwrap().contains("seven in the morning"), "{answer}");
    // A broken file that did not change is reported again, and nothing is read twice.
    let again = world.run(&["index", "d", "--json"]).json();
    assert_eq!(again["indexed"], 0, "{again}");
    assert_eq!(again["failed"].as_array().unwrap().len(), summary["failed"].as_array().unwrap().len());
}

#[cfg(unix)]
#[test]
fn special_files_are_never_opened() {
    let world = World::new();
    world.write("d/good.txt", "The ferry leaves at seven.");
    let fifo = world.path("d/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::os::unix::fs::symlink("nowhere", world.path("d/dangling.txt")).unwrap();
    std::os::unix::fs::symlink(".", world.path("d/loop")).unwrap();
    let done = world.run(&["index", "d", "--json"]);
    assert!(matches!(done.code, 0 | 3), "{done:?}");
    assert_eq!(done.json()["indexed"], 1);
    assert!(world.run(&["index", "/dev/zero", "--json"]).code != 0);
}

/// Names that differ only in bytes that are not UTF-8 were once taken for one file, read once.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_text_stay_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    let path = |bytes: &'static [u8]| world.path("").join(OsStr::from_bytes(bytes));
    std::fs::create_dir_all(path(b"d/\xe9")).unwrap();
    for (name, hour) in [(&b"d/\xff.txt"[..], "seven"), (b"d/\xfe.txt", "eight"), (b"d/\xe9/in.txt", "nine")] {
        std::fs::write(path(name), format!("The ferry leaves at {hour} in the morning.")).unwrap();
    }
    assert_eq!(world.json(&["index", "d"])["indexed"], 3);
    assert_eq!(world.json(&["index", "d"])["unchanged"], 3);
    let rows = world.json(&["ls"]);
    let sources: Vec<&str> =
        rows["documents"].as_array().unwrap().iter().map(|d| d["source"].as_str().unwrap()).collect();
    assert_eq!(sources, [r"d/\xE9/in.txt", r"d/\xFE.txt", r"d/\xFF.txt"]);
    for name in [&b"d/\xfe.txt"[..], br"d/\xFE.txt"] {
        let args = [OsStr::new("text"), OsStr::from_bytes(name), OsStr::new("--json")];
        let done = Done::new(world.command(args).output().unwrap(), &["text"]);
        assert!(done.json()["text"].as_str().unwrap().contains("eight"), "{done:?}");
    }
    let args = [OsStr::new("rm"), OsStr::from_bytes(b"d/\xff.txt"), OsStr::new("--json")];
    let done = Done::new(world.command(args).output().unwrap(), &["rm"]);
    assert_eq!(done.json()["removed"][0], r"d/\xFF.txt");
    // A file below a folder with such a name is missed when it goes.
    std::fs::remove_dir_all(path(b"d/\xe9")).unwrap();
    assert_eq!(world.json(&["index", "d/"])["removed"], 1);
    // A collection is never made under another name than the one given.
    let args = [OsStr::new("--collection"), OsStr::from_bytes(b"\xff"), OsStr::new("index"), OsStr::new("d")];
    assert_eq!(Done::new(world.command(args).output().unwrap(), &["index"]).code, 2);
}

#[cfg(unix)]
#[test]
fn names_of_files_keep_to_their_line() {
    let world = World::new();
    world.write("d/a\nfailed: b.txt", "The ferry leaves at seven in the morning.");
    world.write("d/\u{202e}fdp.txt", "");
    let done = world.run(&["index", "d"]);
    assert!(done.out.contains(r"d/\u{202e}fdp.txt") && !done.out.contains('\u{202e}'), "{done:?}");
    for args in [&["ls"][..], &["search", "ferry"], &["ask", "When does the ferry leave?"]] {
        let done = world.run(args);
        assert!(done.out.contains(r"d/a\nfailed: b.txt"), "{done:?}");
    }
}

/// What lies behind a link to a drive that is not there today is not gone.
#[cfg(unix)]
#[test]
fn documents_that_cannot_be_looked_at_stay() {
    let world = World::new();
    world.write("drive/a.txt", "The ferry leaves at seven in the morning.");
    std::fs::create_dir(world.path("d")).unwrap();
    std::os::unix::fs::symlink("../drive", world.path("d/link")).unwrap();
    assert_eq!(world.json(&["index", "d"])["indexed"], 1);
    std::fs::rename(world.path("drive"), world.path("unplugged")).unwrap();
    let done = world.run(&["index", "d", "--json"]);
    assert!(done.code == 3 && done.json()["removed"] == 0, "{done:?}");
    assert_eq!(world.json(&["ls"])["documents"].as_array().unwrap().len(), 1);
}

#[test]
fn odd_questions_are_answered_or_refused() {
    let world = World::new();
    world.write("d/a.txt", "The ferry leaves at seven in the morning. Tickets cost four euros.");
    world.json(&["index", "d"]);
    assert_eq!(world.run(&["ask", ""]).code, 3);
    assert_eq!(world.run(&["ask", "   "]).code, 3);
    let long = "ferry ".repeat(20_000);
    let marks = format!("a{}", "\u{301}".repeat(20_000));
    let odd = ["?!", "the of and", "🚢🚢🚢", "\"unbalanced", "*", "AND AND (", "' OR 1=1 --", "{{7*7}}", &long, &marks];
    for question in odd {
        for command in ["ask", "search"] {
            let done = world.run(&[command, question, "--json"]);
            assert_eq!(done.code, 0, "{command} {}: {done:?}", &question[..question.len().min(40)]);
        }
    }
}

#[cfg(unix)]
#[test]
fn odd_terminals_and_arguments() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    world.write("d/a.txt", "The ferry leaves at seven in the morning.");
    world.json(&["index", "d"]);
    let invalid = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let output = world.command([std::ffi::OsStr::new("ask"), invalid]).output().unwrap();
    assert_eq!(Done::new(output, &[]).code, 2);
    let output = world.command([std::ffi::OsStr::new("index"), invalid]).output().unwrap();
    assert_eq!(Done::new(output, &[]).code, 3);
    let output = world
        .command(["ask", "When does the ferry leave?"])
        .env_remove("HOME")
        .env("TERM", "dumb")
        .env("COLUMNS", "20")
        .output()
        .unwrap();
    let done = Done::new(output, &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.out.contains('\x1b'));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_failure() {
    let world = World::new();
    let mut child = world.command(["parts"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let done = Done::new(output, &["parts"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn terminal_sequences_in_documents_do_not_reach_the_terminal() {
    let world = World::new();
    world.write("d/evil.txt", "The treasure is buried \x1b]0;owned\x07 under the oak tree.");
    world.json(&["index", "d"]);
    let done = world.run(&["ask", "Where is the treasure buried?"]);
    assert!(!done.out.contains('\x1b') && !done.out.contains('\x07'), "{done:?}");
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock() {
    let world = World::new();
    world.write("d/a.txt", "x y z");
    world.json(&["index", "d"]);
    // A writer that waits for its document holds the collection.
    let mut holder = world.command(["index", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let pid = holder.id().to_string();
    let holds = || std::fs::read_to_string(world.path(".ragstone/lock")).is_ok_and(|text| text.contains(&pid));
    while !holds() {
        assert!(holder.try_wait().unwrap().is_none(), "the holder ended before it held the lock");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let done = world.run(&["rm", "--all"]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert!(done.code == 8 && done.err.contains(&pid), "{done:?} (holder {pid})");
}

/// Both the limit that the hint says to raise and what the system refused were once remembered for ever.
#[test]
fn refused_files_are_tried_again_when_they_could_be_read() {
    let world = World::new();
    world.write("d/large.txt", "The ferry leaves at seven. ".repeat(60_000));
    world.write("ragstone.toml", "[ingest]\nfile_mb = 1\n");
    let done = world.run(&["index", "d", "--json"]);
    assert!(failed(&done.json(), "d/large.txt").contains("1048576 bytes"), "{done:?}");
    world.write("ragstone.toml", "[ingest]\nfile_mb = 2\n");
    assert_eq!(world.json(&["index", "d"])["indexed"], 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_lack_of_open_files_passes() {
    let world = World::new();
    world.write("d/a.html", "<html><body><p>The ferry leaves at seven in the morning.</p></body></html>");
    let limited = format!("ulimit -n 10; exec {} index d --json", env!("CARGO_BIN_EXE_ragstone"));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &limited]).current_dir(world.path("")).env("HOME", world.path("")).stdin(Stdio::null());
    let done = Done::new(shell.output().unwrap(), &["index"]);
    assert!(failed(&done.json(), "d/a.html").contains("open files"), "{done:?}");
    assert_eq!(world.json(&["index", "d"])["indexed"], 1);
}
