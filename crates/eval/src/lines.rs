//! Lines of text files, gzipped or not, each with its number.

use base::{Context, Error, Kind, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest line read. The longest document of the public BEIR sets has under 1 MB; a line beyond this is a
/// file of another kind, or a decompression bomb.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Calls `each` with the number (from 1) and the text of every line of `path` that is not blank. A byte
/// order mark and carriage returns are dropped. An error of `each` gets the file and the line in front.
pub fn for_each_line(path: &Path, mut each: impl FnMut(usize, &str) -> Result<(), String>) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io(format!("opening {}", path.display()), e))?;
    let plain = BufReader::new(file);
    let mut reader: Box<dyn BufRead> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(BufReader::new(MultiGzDecoder::new(plain)))
    } else {
        Box::new(plain)
    };
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = (&mut *reader)
            .take(LINE_BYTES_MAX + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|e| Error::io(format!("reading {} line {number}", path.display()), e))?;
        if read == 0 {
            break;
        }
        if read as u64 > LINE_BYTES_MAX {
            return Err(at(path, number, &format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20)));
        }
        let line = std::str::from_utf8(&bytes).context(Kind::BadInput, || {
            format!("{} line {number}: expected UTF-8 text, found other bytes", path.display())
        })?;
        let line = if number == 1 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        let line = line.trim_end_matches(['\n', '\r']);
        if !line.trim().is_empty() {
            each(number, line).map_err(|what| at(path, number, &what))?;
        }
    }
    Ok(())
}

/// The error `what` at a line of a file.
fn at(path: &Path, number: usize, what: &str) -> Error {
    Error::new(Kind::BadInput, format!("{} line {number}: {what}", path.display()))
        .hint("correct or remove this line, then run again")
}

/// The first of `dir/name` and `dir/name.gz` that is a file.
pub fn plain_or_gz(dir: &Path, name: &str) -> Option<PathBuf> {
    [name.to_owned(), format!("{name}.gz")].into_iter().map(|n| dir.join(n)).find(|p| p.is_file())
}
