//! Extracts files and says what came out: `survey FILE...`; with `SHOW=1`, every block.
use base::Limits;
use std::time::Instant;
fn main() {
    let show = std::env::var("SHOW").is_ok();
    for f in std::env::args().skip(1) {
        let bytes = std::fs::read(&f).unwrap();
        let name = std::path::Path::new(&f).file_name().unwrap().to_string_lossy().into_owned();
        let t = Instant::now();
        match ingest::extract(&name, &bytes, &Limits::default()) {
            Ok(d) => {
                eprintln!(
                    "{f}: {} blocks {} bytes {:.2}s title {:?} meta {:?} warnings {:?}",
                    d.blocks.len(),
                    d.text.len(),
                    t.elapsed().as_secs_f32(),
                    d.title,
                    d.metadata,
                    d.warnings
                );
                if show {
                    for b in &d.blocks {
                        println!("[{:?} {}] {}", b.kind, b.locator, d.block_text(b));
                    }
                }
            }
            Err(e) => eprintln!("{f}: ERR {e:?}"),
        }
    }
}
