//! The models that were fetched, each in a folder of its own with a list of its files.
//!
//! ```text
//! models/organisation--name/             ragstone-model.json, config.json, model.safetensors, 1_Pooling/...
//! models/.partial/organisation--name/    what is being fetched, by commit, and resumed
//! ```

use super::name::ModelName;
use base::{Error, Kind, Result};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// The list of a model's files.
const LIST: &str = "ragstone-model.json";
/// Version of that list.
const LIST_FORMAT: u64 = 1;

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Inside of the model's folder, parts joined by `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its content, 64 hexadecimal digits.
    pub sha256: String,
}

/// A model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// As it was asked for.
    pub name: String,
    /// The commit it was fetched at.
    pub commit: String,
    /// Its folder.
    pub folder: PathBuf,
    /// All of its files.
    pub files: Vec<ModelFile>,
}

impl CachedModel {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The file, as [`ModelFile::path`].
    pub path: String,
    /// What was expected and what was found.
    pub what: String,
}

/// A folder of models.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Cache {
        Cache { folder: folder.into() }
    }

    /// Where the cache is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the model `name` is or would be.
    pub(super) fn place(&self, name: &ModelName) -> PathBuf {
        self.folder.join(name.folder())
    }

    /// Where what is fetched of `name` waits.
    pub(super) fn partial(&self, name: &ModelName) -> PathBuf {
        self.folder.join(".partial").join(name.folder())
    }

    /// The model `name`, if it was fetched.
    ///
    /// # Errors
    /// `Corrupt` when its list of files cannot be read.
    pub fn find(&self, name: &ModelName) -> Result<Option<CachedModel>> {
        let folder = self.place(name);
        if folder.is_dir() { read_list(&folder).map(Some) } else { Ok(None) }
    }

    /// As [`Cache::find`], but a model that is not there is an error that says how to get it.
    pub fn get(&self, name: &ModelName) -> Result<CachedModel> {
        self.find(name)?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("the model {name} is not in {}", self.folder.display()))
                .hint(format!("fetch it with `ragstone models pull {name}`"))
        })
    }

    /// Every model, by name. One whose list is damaged is an error in its place.
    pub fn list(&self) -> Result<Vec<Result<CachedModel>>> {
        let what = || format!("listing the models in {}", self.folder.display());
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(what(), error)),
        };
        let mut folders = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| Error::io(what(), e))?.path();
            let hidden = path.file_name().is_none_or(|n| n.as_encoded_bytes().starts_with(b"."));
            if path.is_dir() && !hidden {
                folders.push(path);
            }
        }
        folders.sort();
        Ok(folders.iter().map(|folder| read_list(folder)).collect())
    }

    /// Compares every file of `name` with its checksum; the flaws found, none for a whole model.
    ///
    /// # Errors
    /// `NotFound` when the model is not there, `Corrupt` when its list cannot be read.
    pub fn verify(&self, name: &ModelName) -> Result<Vec<Flaw>> {
        let model = self.get(name)?;
        let mut flaws = Vec::new();
        for file in &model.files {
            let path = model.folder.join(&file.path);
            let what = match std::fs::metadata(&path) {
                Err(error) => error.to_string(),
                Ok(meta) if meta.len() != file.size => format!("expected {} bytes, found {}", file.size, meta.len()),
                Ok(_) => match sha256(&path)? {
                    sum if sum == file.sha256 => continue,
                    sum => format!("expected the SHA-256 {}, found {sum}", file.sha256),
                },
            };
            flaws.push(Flaw { path: file.path.clone(), what });
        }
        Ok(flaws)
    }

    /// Removes `name` and what was half fetched of it.
    ///
    /// # Errors
    /// `NotFound` when there is neither.
    pub fn remove(&self, name: &ModelName) -> Result<()> {
        let (whole, partial) = (self.place(name), self.partial(name));
        if !whole.exists() && !partial.exists() {
            return self.get(name).map(|_| ());
        }
        for folder in [whole, partial].iter().filter(|f| f.exists()) {
            std::fs::remove_dir_all(folder).map_err(|e| Error::io(format!("removing {}", folder.display()), e))?;
        }
        Ok(())
    }
}

/// Whether `path`, which a stranger wrote, stays inside of the folder that it is joined to.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)))
}

/// Writes the list of a model's files.
pub(super) fn write_list(folder: &Path, model: &CachedModel) -> Result<()> {
    let files: Vec<Value> =
        model.files.iter().map(|f| json!({"path": f.path, "size": f.size, "sha256": f.sha256})).collect();
    let list = json!({"format": LIST_FORMAT, "name": model.name, "commit": model.commit, "files": files});
    let path = folder.join(LIST);
    std::fs::write(&path, format!("{list:#}\n")).map_err(|e| Error::io(format!("writing {}", path.display()), e))?;
    sync(&path)
}

fn read_list(folder: &Path) -> Result<CachedModel> {
    let path = folder.join(LIST);
    let damaged = |found: String| {
        Error::new(Kind::Corrupt, format!("reading {}: {found}", path.display()))
            .hint("remove the model's folder and fetch it again")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| damaged(e.to_string()))?;
    let list: Value = serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
    if list["format"] != LIST_FORMAT {
        return Err(damaged(format!("expected format {LIST_FORMAT}, found {}", list["format"])));
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let file = |value: &Value| {
        let path = text(&value["path"]).filter(|p| is_inside(p))?;
        Some(ModelFile { path, size: value["size"].as_u64()?, sha256: text(&value["sha256"])? })
    };
    let model = || {
        Some(CachedModel {
            name: text(&list["name"])?,
            commit: text(&list["commit"])?,
            folder: folder.to_owned(),
            files: list["files"].as_array()?.iter().map(file).collect::<Option<_>>()?,
        })
    };
    model().ok_or_else(|| damaged("a name, a commit and files were expected".to_owned()))
}

/// The SHA-256 of the file at `path`, in hexadecimal digits.
pub(super) fn sha256(path: &Path) -> Result<String> {
    digest(path, Context::new(&SHA256))
}

/// What git calls the blob of the file at `path`: the SHA-1 of a header and the content.
pub(super) fn git_blob(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(format!("reading {}", path.display()), e))?.len();
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {size}\0").as_bytes());
    digest(path, context)
}

fn digest(path: &Path, mut context: Context) -> Result<String> {
    let what = || format!("reading {}", path.display());
    let mut file = File::open(path).map_err(|e| Error::io(what(), e))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => context.update(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(what(), error)),
        }
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes sure that a file or folder is on the disk.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|f| f.sync_all()).map_err(|e| Error::io(format!("syncing {}", path.display()), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_published_ones() {
        let folder = std::env::temp_dir().join(format!("ragstone-digest-{}", std::process::id()));
        std::fs::write(&folder, "abc").unwrap();
        let (sha, git) = (sha256(&folder).unwrap(), git_blob(&folder).unwrap());
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // `printf abc | git hash-object --stdin`
        assert_eq!(git, "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f");
    }

    #[test]
    fn paths_of_strangers() {
        for good in ["config.json", "1_Pooling/config.json", "a/b/c"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a\\..\\x", "C:x", "a/\0", ".."] {
            assert!(!is_inside(bad), "{bad:?}");
        }
    }
}
