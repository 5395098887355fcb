//! Models from the hub and from folders, as embedders and rerankers.

use crate::run::World;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/fixtures/heads").join(name)
}

fn files(name: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(fixture(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap());
        }
    }
    files
}

/// A hub that holds `acme/tiny` until the test ends.
fn hub(files: BTreeMap<String, Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut line = String::new();
            let mut reader = BufReader::new(&stream);
            if reader.read_line(&mut line).is_err() {
                continue;
            }
            let mut rest = String::new();
            while reader.read_line(&mut rest).is_ok_and(|n| n > 2) {
                rest.clear();
            }
            let path = line.split(' ').nth(1).unwrap_or_default();
            // Checksums as the hub publishes them for large files.
            let sum = |bytes: &[u8]| {
                let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
                digest.as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>()
            };
            let listed = |(name, bytes): (&String, &Vec<u8>)| serde_json::json!({"rfilename": name, "lfs": {"sha256": sum(bytes), "size": bytes.len()}});
            let listing =
                serde_json::json!({"sha": "c0ffee", "siblings": files.iter().map(listed).collect::<Vec<_>>()});
            let body = match path.strip_prefix("/acme/tiny/resolve/c0ffee/") {
                Some(name) => files.get(name).cloned(),
                None if path.starts_with("/api/models/acme/tiny/revision/main") => {
                    Some(listing.to_string().into_bytes())
                }
                None => None,
            };
            let (status, body) = body.map_or((404, Vec::new()), |body| (200, body));
            let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    url
}

fn run(world: &World, hub: &str, args: &[&str]) -> crate::run::Done {
    let output = world.command(args).env("HF_ENDPOINT", hub).env_remove("HF_TOKEN").output().unwrap();
    crate::run::Done::new(output, args)
}

#[test]
fn a_pulled_model_is_an_embedder_by_its_name() {
    let world = World::new();
    world.write("d/a.txt", "The ferry leaves at seven in the morning.");
    // Before it is fetched, the error says how to get it.
    let done = world.run(&["index", "d", "--embedder", "acme/tiny"]);
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.err.contains("ragstone models pull acme/tiny"), "{done:?}");
    let url = hub(files("sentences"));
    let pulled = run(&world, &url, &["models", "pull", "acme/tiny", "--json"]);
    assert_eq!(pulled.code, 0, "{pulled:?}");
    let row = &pulled.json()["models"][0];
    assert_eq!((row["name"].as_str(), row["changed"].as_bool()), (Some("acme/tiny"), Some(true)));
    let listed = world.json(&["models", "ls"]);
    assert_eq!(listed["models"][0]["commit"], "c0ffee");
    world.json(&["index", "d", "--embedder", "acme/tiny"]);
    let hits = world.json(&["search", "ferry", "--embedder", "acme/tiny"]);
    assert_eq!(hits["hits"][0]["source"], "d/a.txt");
    assert_eq!(world.json(&["status"])["embedder"]["name"], "acme/tiny");
    assert_eq!(world.json(&["models", "verify"])["models"][0]["sound"], true);
    // Damage is found, and removal removes.
    let weights = PathBuf::from(row["folder"].as_str().unwrap()).join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    let done = world.run(&["models", "verify", "acme/tiny"]);
    assert!(done.code == 6 && done.out.contains("SHA-256") && done.err.contains("models pull"), "{done:?}");
    assert_eq!(world.run(&["models", "rm", "acme/tiny"]).code, 0);
    assert_eq!(world.run(&["models", "rm", "acme/tiny"]).code, 4);
    assert_eq!(world.json(&["models", "ls"])["models"].as_array().unwrap().len(), 0);
}

#[test]
fn names_addresses_and_pickles_that_are_refused() {
    let world = World::new();
    let mut pickled = files("sentences");
    let weights = pickled.remove("model.safetensors").unwrap();
    pickled.insert("pytorch_model.bin".into(), weights);
    let url = hub(pickled);
    let refused = run(&world, &url, &["models", "pull", "acme/tiny"]);
    assert!(refused.code == 3 && refused.err.contains("only pytorch_model.bin"), "{refused:?}");
    for name in ["../../x", "http://evil.example/model", "/etc/passwd", "a/b/c"] {
        let done = run(&world, &url, &["models", "pull", name]);
        assert!(done.code == 3 && done.err.contains("is not the name of a model"), "{name}: {done:?}");
        let done = world.run(&["search", "x", "--embedder", name]);
        assert!(matches!(done.code, 3 | 4), "{name}: {done:?}");
    }
    assert_eq!(run(&world, &url, &["models", "pull", "acme/other"]).code, 4);
    let offline = world.command(["models", "pull", "acme/tiny"]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    let offline = crate::run::Done::new(offline, &[]);
    assert!(offline.code == 5 && offline.err.contains("HF_HUB_OFFLINE"), "{offline:?}");
}

#[test]
fn another_model_of_the_same_dimension_is_refused() {
    let world = World::new();
    world.write("d/a.txt", "The ferry leaves at seven in the morning.");
    let own = fixture("sentences").to_string_lossy().into_owned();
    world.json(&["index", "d", "--embedder", &own]);
    // The same weights with another pooling: vectors of one length that do not compare.
    for (name, bytes) in files("sentences") {
        world.write(&format!("other/{name}"), bytes);
    }
    world.write("other/1_Pooling/config.json", r#"{"pooling_mode_cls_token": true}"#);
    let done = world.run(&["search", "ferry", "--embedder", "other"]);
    assert_eq!(done.code, 8, "{done:?}");
    assert!(done.err.contains("ragstone reembed --model other"), "{done:?}");
    assert_eq!(world.run(&["reembed", "--model", "other", "--embedder", &own]).code, 0);
    world.json(&["search", "ferry", "--embedder", "other"]);
}

#[test]
fn a_reranker_orders_the_first_passages() {
    let world = World::new();
    for (name, text) in
        [("a", "The Normans gave their name to Normandy."), ("b", "Bees make honey."), ("c", "Normans.")]
    {
        world.write(&format!("d/{name}.txt"), text);
    }
    world.json(&["index", "d"]);
    let model = fixture("xlm-roberta-pairs").to_string_lossy().into_owned();
    let hits = world.json(&["search", "Who were the Normans?", "--reranker", &model]);
    let hits = hits["hits"].as_array().unwrap();
    let scores: Vec<f64> = hits.iter().map(|h| h["parts"]["rerank"].as_f64().unwrap()).collect();
    assert!(scores.len() >= 2 && scores.windows(2).all(|w| w[0] >= w[1]), "{hits:?}");
    assert!(hits.iter().all(|h| h["score"] == h["parts"]["rerank"] && h["parts"]["fused"].is_f64()), "{hits:?}");
    // With a depth of one nothing can change places.
    let one = world.command(["search", "Who were the Normans?", "--reranker", &model, "--json"]);
    let one = { one }.env("RAGSTONE_SEARCH_RERANK_DEPTH", "1").output().unwrap();
    let one = crate::run::Done::new(one, &[]).json();
    let plain = world.json(&["search", "Who were the Normans?"]);
    let sources = |hits: &serde_json::Value| {
        hits["hits"].as_array().unwrap().iter().map(|h| h["source"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sources(&one), sources(&plain));
    let answer = world.json(&["ask", "Who were the Normans?", "--reranker", &model]);
    assert!(answer["answer"].is_string(), "{answer}");
    let late = fixture("colbert").to_string_lossy().into_owned();
    world.json(&["search", "Normans", "--reranker", &late]);
    let wrong = world.run(&["search", "Normans", "--reranker", &fixture("bert-names").to_string_lossy()]);
    assert!(wrong.code == 3 && wrong.err.contains("no classifier of texts"), "{wrong:?}");
}
