//! AVX-512 with VBMI: sixteen lower parts at a time, from one register of bytes.

use super::Sorted;
use crate::Level;
use std::arch::x86_64::*;

/// Bits of upper parts whose places fit a byte.
const UPPER_MAX: usize = 256;
/// Numbers read at a time.
const LANES: usize = 16;

/// Reads the numbers in `slot` into `out` if the machine and `level` allow.
pub(super) fn read(level: Level, sorted: Sorted, slot: &[u8], out: &mut Vec<u32>) -> bool {
    let fits = sorted.upper <= UPPER_MAX && slot.len() >= sorted.bytes();
    if !fits || level < Level::Avx512 || !Level::Avx512.available() {
        return false;
    }
    if !is_x86_feature_detected!("avx512vbmi") || !is_x86_feature_detected!("avx512vbmi2") {
        return false;
    }
    out.clear();
    out.reserve(sorted.degree + LANES);
    // SAFETY: the instruction sets are there, the lengths are as the function wants them, and it says how many numbers
    // it has written.
    unsafe {
        let count = all(sorted, slot, out.as_mut_ptr());
        out.set_len(count);
    }
    true
}

/// # Safety
/// The instruction sets are there; `slot` has the length of a list, with at most [`UPPER_MAX`] bits of upper parts; `out`
/// has places for [`LANES`] more numbers than a list has. The first are written, as many as are returned.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2,popcnt")]
unsafe fn all(sorted: Sorted, slot: &[u8], out: *mut u32) -> usize {
    // SAFETY: the constant is a register long.
    let iota = unsafe { _mm512_loadu_si512(PLACES.as_ptr().cast()) };
    let mut places = [0u8; UPPER_MAX + 64];
    let mut count = 0;
    for start in (0..sorted.upper).step_by(64) {
        let mut word = [0u8; 8];
        let bytes = &slot[start / 8..slot.len().min(start / 8 + 8)];
        word[..bytes.len()].copy_from_slice(bytes);
        let mut set = u64::from_le_bytes(word);
        if sorted.upper - start < 64 {
            set &= (1 << (sorted.upper - start)) - 1;
        }
        let own = _mm512_add_epi8(_mm512_maskz_compress_epi8(set, iota), _mm512_set1_epi8(start as i8));
        // SAFETY: `count` is at most the bits before, so 64 bytes more are there.
        unsafe { _mm512_storeu_si512(places.as_mut_ptr().add(count).cast(), own) };
        count += set.count_ones() as usize;
    }
    let count = count.min(sorted.degree);
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let steps = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(sorted.low as i32));
    let four = _mm512_set1_epi32(0x0302_0100);
    let first = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));
    let mask = _mm512_set1_epi32((1 << sorted.low) - 1);
    let up = _mm_cvtsi32_si128(sorted.low as i32);
    for from in (0..count).step_by(LANES) {
        let bit = sorted.upper + from * sorted.low;
        // Sixteen fields and what lies beside them in their bytes are at most 51 bytes. Without lower parts there may be
        // none left.
        let rest = &slot[(bit / 8).min(slot.len() - 1)..];
        let window = u64::MAX >> (64 - rest.len().min(64));
        // SAFETY: reads are masked where `slot` ends; `places` has 64 bytes after the last, `out` sixteen numbers.
        unsafe {
            let bytes = _mm512_maskz_loadu_epi8(window, rest.as_ptr().cast());
            let bits = _mm512_add_epi32(steps, _mm512_set1_epi32((bit % 8) as i32));
            let at = _mm512_add_epi8(_mm512_shuffle_epi8(_mm512_srli_epi32::<3>(bits), first), four);
            let words = _mm512_permutexvar_epi8(at, bytes);
            let low = _mm512_and_si512(_mm512_srlv_epi32(words, _mm512_and_si512(bits, _mm512_set1_epi32(7))), mask);
            let place = _mm512_cvtepu8_epi32(_mm_loadu_si128(places.as_ptr().add(from).cast()));
            let number = _mm512_sub_epi32(place, _mm512_add_epi32(lanes, _mm512_set1_epi32(from as i32)));
            let link = _mm512_or_si512(_mm512_sll_epi32(number, up), low);
            _mm512_storeu_si512(out.add(from).cast(), link);
        }
    }
    count
}

/// The place of every bit of a word.
const PLACES: [u8; 64] = {
    let mut places = [0; 64];
    let mut i = 0;
    while i < 64 {
        places[i] = i as u8;
        i += 1;
    }
    places
};
