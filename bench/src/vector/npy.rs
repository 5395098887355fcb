//! Arrays in NumPy's file format, as far as benchmarks exchange them.

use base::{Error, Kind, Result, RowSet};
use std::path::Path;

/// Rows of numbers.
pub struct Matrix {
    /// Row by row.
    pub values: Vec<f32>,
    /// Numbers of a row.
    pub columns: usize,
}

/// Reads rows of f32.
pub fn read_f32(path: &Path) -> Result<Matrix> {
    let (header, data) = read_npy(path)?;
    let wrong = || {
        Error::new(
            Kind::BadInput,
            format!("reading {}: expected f32 in two dimensions, found {header}", path.display()),
        )
    };
    let shape = header.split("'shape': (").nth(1).and_then(|s| s.split(')').next()).ok_or_else(wrong)?;
    let sizes: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let [rows, columns] = sizes[..] else { return Err(wrong()) };
    if !header.contains("'<f4'") || header.contains("'fortran_order': True") || data.len() != rows * columns * 4 {
        return Err(wrong());
    }
    let values = data.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    Ok(Matrix { values, columns })
}

/// Reads one byte a row, not 0 for allowed.
pub fn read_mask(path: &Path) -> Result<RowSet> {
    let (_, data) = read_npy(path)?;
    Ok(data.iter().zip(0..).filter(|(b, _)| **b != 0).map(|(_, row)| row).collect())
}

/// Header text and data of a `.npy` file of version 1.
fn read_npy(path: &Path) -> Result<(String, Vec<u8>)> {
    let mut bytes = std::fs::read(path).map_err(|e| Error::io(format!("reading {}", path.display()), e))?;
    let bad = || Error::new(Kind::BadInput, format!("reading {}: not a .npy file of version 1", path.display()));
    if bytes.len() < 10 || bytes[..8] != *b"\x93NUMPY\x01\x00" {
        return Err(bad());
    }
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(bytes.get(10..end).ok_or_else(bad)?).into_owned();
    bytes.drain(..end);
    Ok((header, bytes))
}

/// Writes numbers of the given NumPy kind.
pub fn write_npy(path: &Path, kind: &str, shape: &[usize], data: &[u8]) -> Result<()> {
    let sizes: String = shape.iter().map(|n| format!("{n},")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    std::fs::write(path, bytes).map_err(|e| Error::io(format!("writing {}", path.display()), e))
}
