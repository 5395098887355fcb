//! Writing the rows of a term.

use super::{BLOCK, Rows, SKIP_BYTES};
use crate::lexical::format::put_varint;
use crate::lexical::impacts;
use kernels::bitpack::{bits_for, pack};

/// Appends the postings of a term to the two sections; `length` gives the length of a row, and `typical_len` guides
/// how impact pairs are merged.
pub(crate) fn encode(
    list: &Rows,
    length: impl Fn(u32) -> u32,
    typical_len: f64,
    with_positions: bool,
    out: &mut Vec<u8>,
    positions: &mut Vec<u8>,
) {
    let positions_start = positions.len();
    let mut next_position = 0;
    let mut put_positions = |tfs: &[u32]| {
        let offset = (positions.len() - positions_start) as u32;
        if with_positions {
            let count: usize = tfs.iter().map(|&tf| tf as usize).sum();
            encode_positions(&list.positions[next_position..next_position + count], tfs, positions);
            next_position += count;
        }
        offset
    };
    let count = list.rows.len();
    if count == 1 {
        put_varint(u64::from(list.rows[0]), out);
        put_varint(u64::from(list.tfs[0] - 1), out);
        put_positions(&list.tfs);
    } else if count <= BLOCK {
        let gaps = gaps(&list.rows[1..], list.rows[0]);
        let (gap_bits, tf_bits) = (width(&gaps), tf_width(&list.tfs));
        out.extend([gap_bits, tf_bits]);
        put_varint(u64::from(list.rows[0]), out);
        pack(&gaps, gap_bits, out);
        pack_tfs(&list.tfs, tf_bits, out);
        put_positions(&list.tfs);
    } else {
        let mut data = Vec::new();
        let mut skips = Vec::with_capacity(count.div_ceil(BLOCK) * SKIP_BYTES);
        let mut all_pairs = Vec::new();
        let mut previous = u32::MAX;
        for from in (0..count).step_by(BLOCK) {
            let to = (from + BLOCK).min(count);
            let gaps = gaps(&list.rows[from..to], previous);
            let tfs = &list.tfs[from..to];
            let (gap_bits, tf_bits) = (width(&gaps), tf_width(tfs));
            previous = list.rows[to - 1];
            let postings = list.rows[from..to].iter().zip(tfs).map(|(&row, &tf)| (tf, length(row)));
            let pairs = impacts::encode(postings, typical_len);
            skips.extend_from_slice(&previous.to_le_bytes());
            skips.extend_from_slice(&(data.len() as u32).to_le_bytes());
            skips.extend_from_slice(&put_positions(tfs).to_le_bytes());
            skips.extend([gap_bits, tf_bits, pairs.len() as u8, 0]);
            let mut eight = [0; 2 * impacts::PAIRS];
            for (slot, byte) in eight.iter_mut().zip(pairs.into_iter().flatten()) {
                *slot = byte;
            }
            all_pairs.extend_from_slice(&eight[..2 * skips[skips.len() - 2] as usize]);
            skips.extend_from_slice(&eight);
            pack(&gaps, gap_bits, &mut data);
            pack_tfs(tfs, tf_bits, &mut data);
        }
        let whole = impacts::encode(impacts::decode(&all_pairs), typical_len);
        out.push(whole.len() as u8);
        out.extend(whole.into_iter().flatten());
        out.extend_from_slice(&skips);
        out.extend_from_slice(&data);
    }
}

fn gaps(rows: &[u32], mut previous: u32) -> Vec<u32> {
    rows.iter().map(|&row| row.wrapping_sub(std::mem::replace(&mut previous, row)).wrapping_sub(1)).collect()
}

fn width(values: &[u32]) -> u8 {
    bits_for(values.iter().fold(0, |all, v| all | v))
}

fn tf_width(tfs: &[u32]) -> u8 {
    bits_for(tfs.iter().fold(0, |all, tf| all | (tf - 1)))
}

fn pack_tfs(tfs: &[u32], bits: u8, out: &mut Vec<u8>) {
    let less: Vec<u32> = tfs.iter().map(|tf| tf - 1).collect();
    pack(&less, bits, out);
}

fn encode_positions(positions: &[u32], tfs: &[u32], out: &mut Vec<u8>) {
    let mut differences = Vec::with_capacity(positions.len());
    let mut at = 0;
    for &tf in tfs {
        let mut last = 0;
        for &position in &positions[at..at + tf as usize] {
            differences.push(position - last);
            last = position;
        }
        at += tf as usize;
    }
    let bits = width(&differences);
    out.push(bits);
    pack(&differences, bits, out);
}
