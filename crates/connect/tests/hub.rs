//! Fetching models from a small server in this test that speaks like the hub.

mod hub_server;

use base::Kind;
use connect::hub::{Cache, Hub, HubLimits, ModelName, Progress, Pulled};
use hub_server::{Server, Trick, model, sha256};
use std::time::Duration;

fn quick() -> HubLimits {
    HubLimits {
        connect: Duration::from_secs(5),
        stall: Duration::from_secs(5),
        attempts: 3,
        pause: Duration::from_millis(1),
    }
}

struct World {
    folder: tempfile::TempDir,
    cache: Cache,
    name: ModelName,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("models"));
        World { folder, cache, name: ModelName::parse("acme/tiny").unwrap() }
    }

    fn pull(&self, server: &Server, token: Option<&str>) -> base::Result<Pulled> {
        Hub::new(&server.url, token, quick())?.pull(&self.name, &self.cache, &mut |_| {})
    }

    /// Names of everything below the cache, in order.
    fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    names.push(path.strip_prefix(self.folder.path()).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        names
    }
}

const WEIGHTS: usize = 300_000;

#[test]
fn a_model_arrives_whole() {
    let world = World::new();
    let server = Server::start(model(WEIGHTS), Trick::None);
    let mut seen: Vec<(u64, u64)> = Vec::new();
    let mut watch = |p: Progress<'_>| seen.push((p.bytes, p.total));
    let hub = Hub::new(&server.url, None, quick()).unwrap();
    let pulled = hub.pull(&world.name, &world.cache, &mut watch).unwrap();
    assert!(pulled.changed);
    assert_eq!(
        world.files(),
        [
            "models/acme--tiny/1_Pooling/config.json",
            "models/acme--tiny/LICENSE",
            "models/acme--tiny/config.json",
            "models/acme--tiny/model.safetensors",
            "models/acme--tiny/ragstone-model.json",
            "models/acme--tiny/tokenizer.json",
        ]
    );
    let weights = std::fs::read(pulled.model.folder.join("model.safetensors")).unwrap();
    assert_eq!(sha256(&weights), sha256(&model(WEIGHTS)["model.safetensors"]));
    let (bytes, total) = *seen.last().unwrap();
    assert_eq!((bytes, total), (pulled.model.bytes(), pulled.model.bytes()));
    assert!(seen.windows(2).all(|w| w[0].0 <= w[1].0), "progress goes forward");
    assert!(world.cache.verify(&world.name).unwrap().is_empty());
    assert_eq!(world.cache.list().unwrap().remove(0).unwrap(), pulled.model);
    // What was not asked for was not touched: no pickle, no code.
    assert!(server.requests().iter().all(|r| !r.contains(".bin") && !r.contains(".py")));
    // A second time nothing but the list is asked for.
    let asked = server.requests().len();
    assert!(!world.pull(&server, None).unwrap().changed);
    assert_eq!(server.requests().len(), asked + 1);
}

#[test]
fn a_cut_connection_is_resumed() {
    let world = World::new();
    let server = Server::start(model(WEIGHTS), Trick::Cut { after: 100_000, times: 2 });
    world.pull(&server, None).unwrap();
    assert!(world.cache.verify(&world.name).unwrap().is_empty());
    let ranges: Vec<String> = server.requests().into_iter().filter(|r| r.contains("range: bytes=")).collect();
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    assert!(ranges.iter().all(|r| r.contains("model.safetensors")));
}

#[test]
fn an_interrupted_pull_goes_on_later() {
    let world = World::new();
    let server = Server::start(model(WEIGHTS), Trick::Cut { after: 100_000, times: 1000 });
    // Every attempt brings 100 kB; one that may try only once gives up with what it has.
    let impatient = HubLimits { attempts: 1, ..quick() };
    let cut = Server::start(model(WEIGHTS), Trick::Dead { after: 100_000 });
    let hub = Hub::new(&cut.url, None, impatient).unwrap();
    let error = hub.pull(&world.name, &world.cache, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), Kind::Remote, "{error:?}");
    assert!(error.hint_line().unwrap().contains("goes on"), "{error:?}");
    assert!(world.cache.find(&world.name).unwrap().is_none(), "half a model is no model");
    assert!(world.files().iter().any(|f| f.contains(".partial") && f.ends_with("model.safetensors")));
    world.pull(&server, None).unwrap();
    let first = server.requests().into_iter().find(|r| r.contains("model.safetensors")).unwrap();
    assert!(first.contains("range: bytes=1"), "{first}");
    assert!(world.cache.verify(&world.name).unwrap().is_empty());
    assert!(world.files().iter().all(|f| !f.contains(".partial")), "{:?}", world.files());
}

#[test]
fn a_server_that_knows_no_ranges_sends_all_again() {
    let world = World::new();
    let server = Server::start(model(WEIGHTS), Trick::NoRanges { after: 50_000 });
    world.pull(&server, None).unwrap();
    assert!(world.cache.verify(&world.name).unwrap().is_empty());
}

#[test]
fn a_wrong_checksum_is_refused_and_leaves_nothing() {
    for trick in [Trick::Corrupt("model.safetensors"), Trick::Corrupt("config.json")] {
        let world = World::new();
        let server = Server::start(model(WEIGHTS), trick);
        let error = world.pull(&server, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "{error:?}");
        assert!(error.what().contains("expected") && error.what().contains("found"), "{error:?}");
        assert!(world.cache.find(&world.name).unwrap().is_none());
        // The wrong bytes are not what a later attempt would resume.
        let healthy = Server::start(model(WEIGHTS), Trick::None);
        world.pull(&healthy, None).unwrap();
        assert!(world.cache.verify(&world.name).unwrap().is_empty());
    }
}

#[test]
fn more_bytes_than_promised_are_refused() {
    let world = World::new();
    let error = world.pull(&Server::start(model(WEIGHTS), Trick::Endless), None).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "{error:?}");
    assert!(error.what().contains("more than"), "{error:?}");
}

#[test]
fn private_models_need_the_token() {
    let world = World::new();
    let server = Server::start(model(1000), Trick::Private("hf_secret"));
    let error = world.pull(&server, None).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.hint_line().unwrap().contains("set HF_TOKEN"), "{error:?}");
    let error = world.pull(&server, Some("hf_wrong")).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.hint_line().unwrap().contains("not valid"), "{error:?}");
    assert!(!format!("{error:?}").contains("hf_wrong"), "{error:?}");
    assert!(world.pull(&server, Some("hf_secret")).unwrap().changed);
}

#[test]
fn redirects_are_followed_and_the_token_stays() {
    let world = World::new();
    let storage = Server::start(model(WEIGHTS), Trick::None);
    let server = Server::start(model(WEIGHTS), Trick::Redirect(storage.url.clone()));
    world.pull(&server, Some("hf_secret")).unwrap();
    assert!(world.cache.verify(&world.name).unwrap().is_empty());
    assert!(server.requests().iter().all(|r| r.contains("authorization: bearer hf_secret")));
    let weights: Vec<String> = storage.requests();
    assert!(!weights.is_empty() && weights.iter().all(|r| !r.contains("authorization")), "{weights:?}");
    // Round in circles, and to something that is not HTTP.
    let world = World::new();
    let circle = Server::start(model(1000), Trick::Circle);
    assert!(world.pull(&circle, None).unwrap_err().what().contains("more than 10 redirects"));
    let file = Server::start(model(1000), Trick::Redirect("file:///etc/passwd#".into()));
    let error = world.pull(&file, None).unwrap_err();
    assert!(error.what().contains("not HTTP"), "{error:?}");
}

#[test]
fn names_that_are_not_there() {
    let server = Server::start(model(1000), Trick::None);
    let mut world = World::new();
    world.name = ModelName::parse("acme/other").unwrap();
    let error = world.pull(&server, None).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.what().contains("acme/other") && error.hint_line().unwrap().contains("check the name"), "{error:?}");
    world.name = ModelName::parse("acme/tiny@v9").unwrap();
    let error = world.pull(&server, None).unwrap_err();
    assert!(error.hint_line().unwrap().contains("revision"), "{error:?}");
    let error = world.cache.get(&world.name).unwrap_err();
    assert!(error.hint_line().unwrap().contains("ragstone models pull acme/tiny@v9"), "{error:?}");
    assert_eq!(world.cache.verify(&world.name).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(world.cache.remove(&world.name).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn pickles_and_incomplete_models_are_refused_before_anything_is_fetched() {
    let check = |drop: &[&str], add: &[&str], expected: &str| {
        let mut files = model(1000);
        files.retain(|name, _| !drop.contains(&name.as_str()));
        files.extend(add.iter().map(|name| ((*name).to_owned(), b"x".to_vec())));
        let (world, server) = (World::new(), Server::start(files, Trick::None));
        let error = world.pull(&server, None).unwrap_err();
        assert!(error.what().contains(expected), "{error:?} should say {expected}");
        assert_eq!(server.requests().len(), 1, "only the list was asked for");
        assert!(world.files().iter().all(|f| !f.ends_with("config.json")), "{:?}", world.files());
    };
    check(&["model.safetensors"], &[], "only pytorch_model.bin");
    check(&["model.safetensors"], &["model.safetensors.index.json"], "several files");
    check(&["tokenizer.json"], &[], "no tokenizer.json");
    check(&["config.json"], &[], "no config.json");
    for evil in ["../evil.json", "/etc/evil", "a/../../evil", "..\\evil", "C:evil"] {
        check(&[], &[evil], "outside of the model's folder");
    }
}

#[test]
fn strange_servers() {
    let world = World::new();
    let error = |trick| world.pull(&Server::start(model(1000), trick), None).unwrap_err();
    assert_eq!(error(Trick::WebPage).kind(), Kind::Remote);
    let busy = error(Trick::Busy);
    assert!(busy.what().contains("503") && busy.hint_line().unwrap().contains("later"), "{busy:?}");
    // Nobody listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = Hub::new(&format!("http://{closed}"), None, quick()).unwrap();
    let offline = hub.pull(&world.name, &world.cache, &mut |_| {}).unwrap_err();
    assert_eq!(offline.kind(), Kind::Remote);
    assert!(offline.what().contains("cannot be reached"), "{offline:?}");
    assert!(offline.hint_line().unwrap().contains("offline"), "{offline:?}");
    for wrong in ["ftp://x", "nonsense", "https://", "https://x?y=1"] {
        assert_eq!(Hub::new(wrong, None, quick()).unwrap_err().kind(), Kind::BadInput, "{wrong}");
    }
    assert_eq!(Hub::new("http://example.org", Some("t"), quick()).unwrap_err().kind(), Kind::Denied);
    assert_eq!(Hub::new("https://example.org", Some("a\nb"), quick()).unwrap_err().kind(), Kind::BadInput);
}

#[test]
fn a_new_commit_replaces_the_old_at_once() {
    let world = World::new();
    world.pull(&Server::start(model(1000), Trick::None), None).unwrap();
    let mut files = model(2000);
    files.remove("1_Pooling/config.json");
    let pulled = world.pull(&Server::start(files, Trick::None), None).unwrap();
    assert!(pulled.changed);
    assert!(!world.files().iter().any(|f| f.contains("1_Pooling") || f.contains(".partial")), "{:?}", world.files());
    assert!(world.cache.verify(&world.name).unwrap().is_empty());
}

#[test]
fn damage_is_found_and_removal_removes() {
    let world = World::new();
    let pulled = world.pull(&Server::start(model(1000), Trick::None), None).unwrap();
    let path = |name: &str| pulled.model.folder.join(name);
    let mut weights = std::fs::read(path("model.safetensors")).unwrap();
    weights[500] ^= 1;
    std::fs::write(path("model.safetensors"), &weights).unwrap();
    std::fs::write(path("tokenizer.json"), "{").unwrap();
    std::fs::remove_file(path("config.json")).unwrap();
    let flaws = world.cache.verify(&world.name).unwrap();
    let names: Vec<&str> = flaws.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(names.len(), 3, "{flaws:?}");
    assert!(flaws.iter().any(|f| f.what.contains("SHA-256")) && flaws.iter().any(|f| f.what.contains("bytes")));
    std::fs::write(
        path("ragstone-model.json"),
        r#"{"format":1,"name":"a","commit":"b","files":[{"path":"../x","size":1,"sha256":""}]}"#,
    )
    .unwrap();
    assert_eq!(world.cache.find(&world.name).unwrap_err().kind(), Kind::Corrupt);
    assert!(world.cache.list().unwrap()[0].is_err());
    world.cache.remove(&world.name).unwrap();
    assert!(world.files().is_empty() && world.cache.list().unwrap().is_empty());
}

#[test]
fn two_processes_do_not_fetch_the_same() {
    let world = World::new();
    let folder = world.folder.path().join("models/.partial/acme--tiny");
    std::fs::create_dir_all(&folder).unwrap();
    let held = std::fs::File::create(folder.join("lock")).unwrap();
    held.lock().unwrap();
    let server = Server::start(model(1000), Trick::None);
    assert_eq!(world.pull(&server, None).unwrap_err().kind(), Kind::Conflict);
    drop(held);
    assert!(world.pull(&server, None).unwrap().changed);
}
