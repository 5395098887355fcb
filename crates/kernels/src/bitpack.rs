//! Integers of a few bits each, packed one after another, least significant bit first.
//!
//! Value `i` of width `b` occupies the bits `i*b .. (i+1)*b` of the byte string. This horizontal layout lets
//! a single value be read without its neighbours, works for any count, and unpacks 16 (AVX-512 VBMI) or 8 (AVX2,
//! NEON) values at a time with one byte permutation, one shift per lane and one mask; the scalar path is the reference.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

/// Bytes that `count` values of `bits` bits occupy.
#[inline]
pub const fn packed_len(count: usize, bits: u8) -> usize {
    (count * bits as usize).div_ceil(8)
}

/// Bits needed for `value`; 0 for 0.
#[inline]
pub const fn bits_for(value: u32) -> u8 {
    (32 - value.leading_zeros()) as u8
}

/// Appends `values`, of which each fits `bits` (at most 32), to `out`.
pub fn pack(values: &[u32], bits: u8, out: &mut Vec<u8>) {
    debug_assert!(bits <= 32 && values.iter().all(|&v| bits == 32 || v < 1 << bits));
    out.reserve(packed_len(values.len(), bits) + 4);
    let (mut pending, mut filled) = (0u64, 0u32);
    for &value in values {
        pending |= u64::from(value) << filled;
        filled += u32::from(bits);
        if filled >= 32 {
            out.extend_from_slice(&(pending as u32).to_le_bytes());
            pending >>= 32;
            filled -= 32;
        }
    }
    out.extend_from_slice(&pending.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// Value `index` of the packed `bytes`; bits beyond their end read as 0. `bits` is at most 32.
#[inline]
pub fn get(bytes: &[u8], bits: u8, index: usize) -> u32 {
    let bit = index * bits as usize;
    let (at, shift) = (bit / 8, bit % 8);
    let word = match bytes.get(at..at + 8) {
        Some(eight) => {
            u64::from_le_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]])
        }
        None => {
            let mut eight = [0; 8];
            let rest = bytes.get(at..).unwrap_or(&[]);
            eight[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(eight)
        }
    };
    (word >> shift) as u32 & mask(bits)
}

/// Fills `out` with the first values of the packed `bytes`, which may go on after them; bits beyond the end
/// read as 0. Fastest if 64 bytes follow the packed values. `bits` is at most 32.
pub fn unpack(bytes: &[u8], bits: u8, out: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if avx512::unpack(bytes, bits, out) || avx2::unpack(bytes, bits, out) {
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if neon::unpack(bytes, bits, out) {
        return;
    }
    scalar::unpack(bytes, bits, out);
}

/// Like [`unpack`], for ascending numbers stored as gaps less one: `out[i] = out[i-1] + gap[i] + 1`, with
/// `out[-1] = previous`. Sums wrap, so `u32::MAX` as `previous` makes the first gap the first number.
pub fn unpack_ascending(bytes: &[u8], bits: u8, previous: u32, out: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if avx512::unpack_ascending(bytes, bits, previous, out) || avx2::unpack_ascending(bytes, bits, previous, out) {
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if neon::unpack_ascending(bytes, bits, previous, out) {
        return;
    }
    scalar::unpack_ascending(bytes, bits, previous, out);
}

/// The number of values of the ascending slice, of a few hundred at most, that are less than `bound`.
#[inline]
pub fn rank(ascending: &[u32], bound: u32) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(rank) = avx512::rank(ascending, bound) {
        return rank;
    }
    scalar::rank(ascending, bound)
}

const fn mask(bits: u8) -> u32 {
    ((1u64 << bits) - 1) as u32
}

pub(crate) mod scalar {
    //! The reference.

    pub(crate) fn unpack(bytes: &[u8], bits: u8, out: &mut [u32]) {
        for (i, value) in out.iter_mut().enumerate() {
            *value = super::get(bytes, bits, i);
        }
    }

    pub(crate) fn rank(ascending: &[u32], bound: u32) -> usize {
        // Halving, seven steps for a block of 128.
        let (mut low, mut len) = (0, ascending.len());
        while len > 1 {
            let half = len / 2;
            low += usize::from(ascending[low + half - 1] < bound) * half;
            len -= half;
        }
        low + usize::from(len == 1 && ascending[low] < bound)
    }

    pub(crate) fn unpack_ascending(bytes: &[u8], bits: u8, previous: u32, out: &mut [u32]) {
        let mut last = previous;
        for (i, value) in out.iter_mut().enumerate() {
            last = last.wrapping_add(super::get(bytes, bits, i)).wrapping_add(1);
            *value = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_path_gives_back_what_was_packed(
            bits in 0u8..=32,
            seeds in proptest::collection::vec(any::<u32>(), 0..300),
            slack in 0usize..80,
            previous in any::<u32>(),
        ) {
            let values: Vec<u32> = seeds.iter().map(|v| v & mask(bits)).collect();
            let mut bytes = Vec::new();
            pack(&values, bits, &mut bytes);
            prop_assert_eq!(bytes.len(), packed_len(values.len(), bits));
            bytes.extend(std::iter::repeat_n(0xA5, slack));
            let mut out = vec![7; values.len()];
            unpack(&bytes, bits, &mut out);
            prop_assert_eq!(&out, &values);
            #[cfg(target_arch = "x86_64")]
            if avx2::unpack(&bytes, bits, &mut out) {
                prop_assert_eq!(&out, &values);
            }
            scalar::unpack(&bytes, bits, &mut out);
            prop_assert_eq!(&out, &values);
            let mut ascending = vec![7; values.len()];
            unpack_ascending(&bytes, bits, previous, &mut ascending);
            scalar::unpack_ascending(&bytes, bits, previous, &mut out);
            prop_assert_eq!(&ascending, &out);
            #[cfg(target_arch = "x86_64")]
            if avx2::unpack_ascending(&bytes, bits, previous, &mut ascending) {
                prop_assert_eq!(&ascending, &out);
            }
        }

        #[test]
        fn short_input_reads_as_zero(bits in 0u8..=32, bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let (mut fast, mut reference) = (vec![1; 128], vec![2; 128]);
            unpack(&bytes, bits, &mut fast);
            scalar::unpack(&bytes, bits, &mut reference);
            prop_assert_eq!(fast, reference);
        }

        #[test]
        fn rank_counts_smaller(mut values in proptest::collection::vec(any::<u32>(), 0..130), bound in any::<u32>()) {
            values.sort_unstable();
            let expected = values.iter().filter(|&&v| v < bound).count();
            prop_assert_eq!(rank(&values, bound), expected);
            prop_assert_eq!(scalar::rank(&values, bound), expected);
        }
    }
}
