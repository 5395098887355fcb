//! Given files and folders, which files are there to read, and what was left out and why?
//!
//! `.gitignore` and `.ignore` files are honoured inside and outside of Git repositories, those of the folders
//! above a root too, up to the repository's own. Links are followed, a folder is never entered twice on one
//! path. Nothing but regular files is ever opened.

use base::{Error, Kind};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a walk leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkOptions {
    /// Whether names that begin with a dot are read.
    pub hidden: bool,
    /// Whether `.gitignore` and `.ignore` files are honoured.
    pub gitignore: bool,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkedFile {
    /// The root as given, joined with the path below it.
    pub path: PathBuf,
    /// The root made absolute and free of links, joined with the path below it.
    pub absolute: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970; 0 when the file system keeps none.
    pub modified_ns: i64,
}

/// What a walk saw.
#[derive(Debug, Default)]
pub struct Walk {
    /// Files, by root in the order given, then by name.
    pub files: Vec<WalkedFile>,
    /// Files and folders left out on purpose, with the reason; a folder stands for all it holds.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// What could not be looked at.
    pub failed: Vec<(PathBuf, Error)>,
    /// Where those are, without links above: nothing is known about what is there and below.
    pub unseen: Vec<PathBuf>,
    /// Absolute paths of the roots that exist.
    pub roots: Vec<PathBuf>,
}

/// Lists everything at and below `roots`. A root that is named is read even if it is hidden or ignored.
pub fn walk(roots: &[PathBuf], options: &WalkOptions) -> Walk {
    let mut walk = Walk::default();
    for root in roots {
        match fs::canonicalize(root) {
            Ok(absolute) => {
                walk.roots.push(absolute.clone());
                Walker { walk: &mut walk, options, ignores: Vec::new(), above: Vec::new() }.root(root, absolute);
            }
            Err(e) => {
                let error = Error::io("looking for it", e).hint("check the spelling; relative paths start here");
                walk.failed.push((root.clone(), error));
            }
        }
    }
    walk
}

/// The modification time of a file, nanoseconds since 1970, negative before; the nearest that fits (1677 to 2262), and
/// 0 where the system has none.
pub fn modified_ns(metadata: &Metadata) -> i64 {
    metadata.modified().map_or(0, nanoseconds)
}

fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |before| -before),
    }
}

struct Walker<'a> {
    walk: &'a mut Walk,
    options: &'a WalkOptions,
    /// Ignore files from the outermost folder to the current one.
    ignores: Vec<Gitignore>,
    /// Folders on the current path, without links, to see loops.
    above: Vec<PathBuf>,
}

impl Walker<'_> {
    fn root(&mut self, path: &Path, absolute: PathBuf) {
        if self.options.gitignore && absolute.is_dir() {
            self.ignores_above(&absolute);
        }
        self.entry(path.to_owned(), absolute);
    }

    /// Reads the ignore files between the repository that holds `folder` and `folder`.
    fn ignores_above(&mut self, folder: &Path) {
        let Some(repository) = folder.ancestors().find(|a| a.join(".git").exists()) else { return };
        let mut between: Vec<&Path> = folder.ancestors().skip(1).take_while(|a| a.starts_with(repository)).collect();
        between.reverse();
        for above in between {
            self.push_ignores(above);
        }
    }

    fn push_ignores(&mut self, folder: &Path) {
        let mut builder = GitignoreBuilder::new(folder);
        for name in [".gitignore", ".ignore"] {
            let path = folder.join(name);
            if path.is_file()
                && let Some(error) = builder.add(&path)
            {
                let what = format!("some patterns of it are not understood ({error}); the others count");
                self.walk.failed.push((path, Error::new(Kind::BadInput, what)));
            }
        }
        self.ignores.push(builder.build().unwrap_or_else(|_| Gitignore::empty()));
    }

    fn ignored(&self, absolute: &Path, is_dir: bool) -> bool {
        // The innermost file that says anything decides.
        let verdicts = self.ignores.iter().rev().map(|i| i.matched(absolute, is_dir));
        verdicts.into_iter().find(|m| !m.is_none()).is_some_and(|m| m.is_ignore())
    }

    fn entry(&mut self, path: PathBuf, absolute: PathBuf) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, absolute),
            Ok(metadata) if metadata.is_file() => {
                let (size, modified_ns) = (metadata.len(), modified_ns(&metadata));
                self.walk.files.push(WalkedFile { path, absolute, size, modified_ns });
            }
            Ok(_) => {
                let what = "it is a device, pipe or socket, and only files and folders are read";
                self.failed(path, absolute, Error::new(Kind::Unsupported, what));
            }
            Err(e) => {
                let link = path.is_symlink();
                let what = if link { "following this link, which leads nowhere or to itself" } else { "looking at it" };
                self.failed(path, absolute, Error::io(what, e));
            }
        }
    }

    fn failed(&mut self, path: PathBuf, absolute: PathBuf, error: Error) {
        self.walk.failed.push((path, error));
        self.walk.unseen.push(absolute);
    }

    fn folder(&mut self, path: PathBuf, absolute: PathBuf) {
        if absolute.join("truth.db").is_file() && absolute.join("lock").exists() {
            self.walk.skipped.push((path, "a Ragstone collection"));
            return;
        }
        let real = fs::canonicalize(&path).unwrap_or_else(|_| absolute.clone());
        if self.above.contains(&real) {
            self.walk.skipped.push((path, "a link to a folder above it"));
            return;
        }
        let mut names = match fs::read_dir(&path).and_then(|d| d.map(|e| e.map(|e| e.file_name())).collect()) {
            Ok::<Vec<_>, _>(names) => names,
            Err(e) => {
                self.failed(path, absolute, Error::io("listing this folder", e));
                return;
            }
        };
        names.sort_unstable();
        if self.options.gitignore {
            self.push_ignores(&absolute);
        }
        self.above.push(real);
        for name in names {
            self.named(&name, path.join(&name), absolute.join(&name));
        }
        self.above.pop();
        if self.options.gitignore {
            self.ignores.pop();
        }
    }

    fn named(&mut self, name: &OsStr, path: PathBuf, absolute: PathBuf) {
        // Never worth reading, also when hidden files are.
        let ours = matches!(name.to_str(), Some(".git" | ".ragstone"));
        if ours || (!self.options.hidden && name.as_encoded_bytes().starts_with(b".")) {
            self.walk.skipped.push((path, "hidden"));
        } else if self.options.gitignore && self.ignored(&absolute, path.is_dir()) {
            self.walk.skipped.push((path, "left out by .gitignore"));
        } else {
            self.entry(path, absolute);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: WalkOptions = WalkOptions { hidden: false, gitignore: true };

    fn world(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn names(walk: &Walk, folder: &tempfile::TempDir) -> Vec<String> {
        let name = |f: &WalkedFile| f.path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
        walk.files.iter().map(name).collect()
    }

    #[test]
    fn ignore_files_hidden_files_and_order() {
        let folder = world(&[
            ("b.txt", "b"),
            ("a/x.log", "ignored"),
            ("a/keep.log", "kept by the inner file"),
            ("a/.gitignore", "!keep.log\n"),
            (".gitignore", "*.log\nbuild/\n"),
            ("build/out.txt", "ignored"),
            (".hidden/y.txt", "hidden"),
            ("a/.env", "hidden"),
        ]);
        let roots = [folder.path().to_owned()];
        let seen = walk(&roots, &ALL);
        assert_eq!(names(&seen, &folder), ["a/keep.log", "b.txt"]);
        assert_eq!(seen.skipped.iter().filter(|s| s.1 == "hidden").count(), 4);
        assert_eq!(seen.skipped.iter().filter(|s| s.1 == "left out by .gitignore").count(), 2);
        let all = walk(&roots, &WalkOptions { hidden: true, gitignore: false });
        assert_eq!(all.files.len(), 8);
        assert!(all.failed.is_empty() && all.skipped.is_empty());
    }

    #[test]
    fn a_repository_above_the_root_counts() {
        let folder = world(&[(".git/HEAD", ""), (".gitignore", "secret*\n"), ("d/secret.txt", ""), ("d/open.txt", "")]);
        let seen = walk(&[folder.path().join("d")], &ALL);
        assert_eq!(names(&seen, &folder), ["d/open.txt"]);
        // A file that is named is wanted.
        assert_eq!(walk(&[folder.path().join("d/secret.txt")], &ALL).files.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_pipes_and_missing_roots() {
        use std::os::unix::fs::symlink;
        let folder = world(&[("d/a.txt", "a"), ("e/b.txt", "b")]);
        let at = |name: &str| folder.path().join(name);
        symlink("../e", at("d/link")).unwrap();
        symlink("..", at("d/loop")).unwrap();
        symlink("nowhere", at("d/dangling")).unwrap();
        symlink("self", at("d/self")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("d/pipe")).status().unwrap().success());
        let seen = walk(&[at("d"), at("missing")], &ALL);
        assert_eq!(names(&seen, &folder)[..2], ["d/a.txt", "d/link/b.txt"]);
        assert_eq!(seen.roots.len(), 1);
        let failed: Vec<_> = seen.failed.iter().map(|(p, _)| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(failed, ["dangling", "pipe", "self", "missing"]);
        let d = at("d").canonicalize().unwrap();
        assert_eq!(seen.unseen, ["dangling", "pipe", "self"].map(|name| d.join(name)));
        assert!(crate::read_file(&at("d/pipe"), 10).is_err());
    }

    /// Times before 1970 were all taken for 1970: a change between two of them was not seen.
    #[test]
    fn every_time_is_another() {
        use std::time::Duration;
        let times = [
            UNIX_EPOCH - Duration::from_secs(365 * 86_400),
            UNIX_EPOCH - Duration::from_nanos(1),
            UNIX_EPOCH,
            UNIX_EPOCH + Duration::from_nanos(1),
            SystemTime::now() + Duration::from_secs(10 * 365 * 86_400),
        ];
        assert!(times.map(nanoseconds).is_sorted_by(|a, b| a < b));
        // The year 30,000 is not 1970 either.
        assert_eq!(nanoseconds(UNIX_EPOCH + Duration::from_secs(28_000 * 365 * 86_400)), i64::MAX);
    }
}
