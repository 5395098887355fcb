//! All files of a model: which ones, from where, and into the cache at once.

use super::Hub;
use super::cache::{Cache, CachedModel, ModelFile, is_inside, sha256, sync, write_list};
use super::fetch::{Checksum, Wanted};
use super::name::ModelName;
use base::{Error, Kind, Result};
use reqwest::Url;
use serde_json::Value;
use std::fs::{File, TryLockError, create_dir_all};
use std::path::Path;

/// Longest listing of a model's files, bytes.
const LISTING_BYTES_MAX: usize = 16 << 20;
/// Largest file that is not weights, bytes.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// How far a download is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file at hand.
    pub file: &'a str,
    /// Bytes that are here, of all files.
    pub bytes: u64,
    /// Bytes of all files.
    pub total: u64,
}

/// What a pull did.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The model as it is now.
    pub model: CachedModel,
    /// Whether anything was fetched; a model that is here at the server's commit is left alone.
    pub changed: bool,
}

impl Hub {
    /// Fetches `name` into `cache`, or goes on where an earlier attempt was cut.
    ///
    /// # Errors
    /// `NotFound` for a name that the hub does not have, `Denied` for one that it does not give to us,
    /// `Unsupported` for models without safetensors, `Remote` and `Timeout` when the server fails, `Corrupt`
    /// for content that is not what the server promised, `Conflict` while another process fetches the same.
    pub fn pull(&self, name: &ModelName, cache: &Cache, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Pulled> {
        if self.offline {
            return Err(Error::new(Kind::Denied, format!("fetching {name}: HF_HUB_OFFLINE forbids to ask the hub"))
                .hint("unset HF_HUB_OFFLINE; `ragstone models ls` shows what is already here"));
        }
        let listing = self.listing(name)?;
        if let Some(model) = cache.find(name)?.filter(|model| model.commit == listing.commit) {
            return Ok(Pulled { model, changed: false });
        }
        let partial = cache.partial(name);
        let folder = partial.join(&listing.commit);
        create_dir_all(&folder).map_err(|e| Error::io(format!("making the folder {}", folder.display()), e))?;
        let _lock = lock(&partial, name)?;
        let total = listing.files.iter().map(|f| f.wanted.size).sum();
        let (mut before, mut files) = (0, Vec::new());
        for file in &listing.files {
            let path = folder.join(&file.path);
            if let Some(parent) = path.parent() {
                create_dir_all(parent).map_err(|e| Error::io(format!("making the folder {}", parent.display()), e))?;
            }
            self.fetch(&file.wanted, &path, &mut |bytes| {
                progress(Progress { file: &file.path, bytes: before + bytes, total });
            })?;
            before += file.wanted.size;
            files.push(ModelFile { path: file.path.clone(), size: file.wanted.size, sha256: sha256(&path)? });
        }
        let place = cache.place(name);
        let model = CachedModel { name: name.to_string(), commit: listing.commit, folder: place.clone(), files };
        write_list(&folder, &model)?;
        replace(&folder, &place, &partial)?;
        Ok(Pulled { model, changed: true })
    }

    fn listing(&self, name: &ModelName) -> Result<Listing> {
        let what = format!("fetching the model {name}");
        // A revision may hold slashes, which are no parts of the path here.
        let revision = name.revision().replace('/', "%2F");
        let url = self.address(&format!("api/models/{}/revision/{revision}?blobs=true", name.id()))?;
        let body = self.read(&what, &url, LISTING_BYTES_MAX)?;
        let strange = |found: &str| {
            Error::new(Kind::Remote, format!("{what}: expected a list of files from {}, found {found}", self.endpoint))
                .hint("HF_ENDPOINT must name a server that speaks like huggingface.co")
        };
        let json: Value = serde_json::from_slice(&body).map_err(|e| strange("something else").because(e))?;
        let commit = json["sha"].as_str().unwrap_or_default();
        if commit.is_empty() || commit.len() > 64 || !commit.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(strange("no commit"));
        }
        let siblings = json["siblings"].as_array().ok_or_else(|| strange("no files"))?;
        let mut files = Vec::new();
        let mut others = Vec::new();
        for sibling in siblings {
            let path = sibling["rfilename"].as_str().ok_or_else(|| strange("a file without a name"))?;
            if !is_inside(path) {
                let found = format!("{what}: the server names the file {path:?}, outside of the model's folder");
                return Err(Error::new(Kind::Remote, found).hint("do not use this server, or tell who runs it"));
            }
            if !is_wanted(path) {
                others.push(path);
                continue;
            }
            let size = sibling["lfs"]["size"].as_u64().or(sibling["size"].as_u64());
            let size = size.ok_or_else(|| strange(&format!("no size of {path}")))?;
            if !path.ends_with(".safetensors") && size > TEXT_BYTES_MAX {
                return Err(strange(&format!("{size} bytes of {path}")));
            }
            let checksum = sibling["lfs"]["sha256"].as_str().or(sibling["blobId"].as_str()).and_then(Checksum::parse);
            let url = self.address(&format!("{}/resolve/{commit}/{path}", name.id()))?;
            files.push(Listed {
                path: path.to_owned(),
                wanted: Wanted { what: format!("fetching {path} of {name}"), url, size, checksum },
            });
        }
        complete(name, &files, &others)?;
        // Small files first: what makes a model unusable shows before its weights are fetched.
        files.sort_by_key(|f| f.wanted.size);
        Ok(Listing { commit: commit.to_owned(), files })
    }

    fn address(&self, path: &str) -> Result<Url> {
        let base = self.endpoint.as_str().trim_end_matches('/');
        let text = format!("{base}/{path}");
        Url::parse(&text).map_err(|e| Error::new(Kind::BadInput, format!("{text} is not an address")).because(e))
    }
}

struct Listing {
    commit: String,
    files: Vec<Listed>,
}

struct Listed {
    path: String,
    wanted: Wanted,
}

/// Files that a model is made of; everything else of a repository stays where it is.
const WANTED: [&str; 8] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "artifact.metadata",
];

/// Whether a model needs the file `path`: those of [`WANTED`], also in the folders of sentence-transformers
/// (`1_Pooling`), and the licence.
fn is_wanted(path: &str) -> bool {
    let module = |folder: &str| {
        let (number, name) = folder.split_once('_').unwrap_or_default();
        !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    match path.split_once('/') {
        Some((folder, file)) => module(folder) && WANTED.contains(&file),
        None => WANTED.contains(&path) || ["LICENSE", "LICENCE", "NOTICE"].iter().any(|n| path.starts_with(n)),
    }
}

/// Says what is missing, before anything is fetched.
fn complete(name: &ModelName, files: &[Listed], others: &[&str]) -> Result<()> {
    let unsupported = |found: String| Error::new(Kind::Unsupported, format!("fetching the model {name}: {found}"));
    // Older models keep the transformer's own files in a folder.
    let has = |file: &str| files.iter().any(|f| f.path == file || f.path == format!("0_Transformer/{file}"));
    if !has("model.safetensors") {
        let other = |ends: &[&str]| others.iter().find(|o| ends.iter().any(|end| o.ends_with(end)));
        return Err(
            match (
                other(&[".safetensors.index.json"]),
                other(&[".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack"]),
            ) {
                (Some(index), _) => unsupported(format!("its weights are in several files ({index})"))
                    .hint("encoders of a size for this program are published in one file"),
                (None, Some(pickle)) => unsupported(format!("it has no model.safetensors, only {pickle}"))
                    .hint("pickled weights can run code when read; look for a revision or a copy in safetensors"),
                (None, None) => {
                    unsupported("it has no model.safetensors".to_owned()).hint("only models in safetensors can be used")
                }
            },
        );
    }
    for file in ["config.json", "tokenizer.json"] {
        if !has(file) {
            return Err(unsupported(format!("it has no {file}"))
                .hint("save the model again with transformers, which then writes all files"));
        }
    }
    Ok(())
}

/// Held while a model is fetched; the system lets go of it when the process ends.
fn lock(partial: &Path, name: &ModelName) -> Result<File> {
    let path = partial.join("lock");
    let file = File::create(&path).map_err(|e| Error::io(format!("making {}", path.display()), e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Kind::Conflict,
            format!("fetching the model {name}: another process is at it ({})", path.display()),
        )
        .hint("wait until it is done")),
        Err(TryLockError::Error(error)) => Err(Error::io(format!("locking {}", path.display()), error)),
    }
}

/// Puts the finished `folder` in its `place`; what stood there goes away only then.
fn replace(folder: &Path, place: &Path, partial: &Path) -> Result<()> {
    let moving = |from: &Path, to: &Path| {
        std::fs::rename(from, to).map_err(|e| Error::io(format!("moving {} to {}", from.display(), to.display()), e))
    };
    sync(folder)?;
    if place.exists() {
        let old = partial.join("old");
        let _ = std::fs::remove_dir_all(&old);
        moving(place, &old)?;
    }
    moving(folder, place)?;
    if let Some(parent) = place.parent() {
        sync(parent)?;
    }
    // Other commits that were begun and the old model: no longer of use, and no failure if they stay.
    let _ = std::fs::remove_dir_all(partial);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_needs() {
        for path in
            ["config.json", "model.safetensors", "1_Pooling/config.json", "2_Dense/model.safetensors", "LICENSE.txt"]
        {
            assert!(is_wanted(path), "{path}");
        }
        for path in [
            "pytorch_model.bin",
            "onnx/model.onnx",
            "onnx/config.json",
            "modeling.py",
            "README.md",
            "1_Pooling/x.py",
            "_a/config.json",
            "1_P/q/config.json",
        ] {
            assert!(!is_wanted(path), "{path}");
        }
    }
}
