//! The innermost loop of products with 512-bit registers, in assembly.
//!
//! Up to twelve rows by two registers of sums (zmm0 to zmm23), two of the right side (zmm24, zmm25) and one
//! broadcast in turn (zmm26, zmm27). For every group of 32 bits: two loads, a broadcast a row, and two
//! multiply-adds a row, which are the limit, one a cycle or more.
//!
//! In assembly because the compiler, given the same loop, loads the broadcasts of four groups at once, which is
//! more than there are registers: it wrote four registers to the stack for every five multiply-adds, and
//! AVX-512 was slower than AVX2. Barriers between the groups only changed what was spilled.
//!
//! # Addresses
//! Four pointers, each with its own row and the rows one and two strides on, reach twelve rows without
//! arithmetic in the loop. Rows from the `M`th on are left out by the assembler's `.if`.

use std::arch::asm;
use std::arch::x86_64::*;

/// The `$row`th row's part of a group at byte `$offset`: `$first` and `$second` are its sums.
macro_rules! row {
    ($step:literal, $offset:literal, $row:literal, $address:literal, $first:literal, $second:literal, $spare:literal) => {
        concat!(
            ".if {rows} > ",
            $row,
            "\n",
            "vbroadcastss zmm",
            $spare,
            ", dword ptr [",
            $address,
            " + ",
            $offset,
            "]\n",
            $step,
            " zmm",
            $first,
            ", zmm",
            $spare,
            ", zmm24\n",
            $step,
            " zmm",
            $second,
            ", zmm",
            $spare,
            ", zmm25\n",
            ".endif\n",
        )
    };
}

/// One group of every row.
macro_rules! group {
    ($step:literal, $offset:literal) => {
        concat!(
            "vmovups zmm24, zmmword ptr [{b}]\n",
            "vmovups zmm25, zmmword ptr [{b} + 64]\n",
            row!($step, $offset, "0", "{a0}", "0", "1", "26"),
            row!($step, $offset, "1", "{a0} + {stride}", "2", "3", "27"),
            row!($step, $offset, "2", "{a0} + 2*{stride}", "4", "5", "26"),
            row!($step, $offset, "3", "{a3}", "6", "7", "27"),
            row!($step, $offset, "4", "{a3} + {stride}", "8", "9", "26"),
            row!($step, $offset, "5", "{a3} + 2*{stride}", "10", "11", "27"),
            row!($step, $offset, "6", "{a6}", "12", "13", "26"),
            row!($step, $offset, "7", "{a6} + {stride}", "14", "15", "27"),
            row!($step, $offset, "8", "{a6} + 2*{stride}", "16", "17", "26"),
            row!($step, $offset, "9", "{a9}", "18", "19", "27"),
            row!($step, $offset, "10", "{a9} + {stride}", "20", "21", "26"),
            row!($step, $offset, "11", "{a9} + 2*{stride}", "22", "23", "27"),
            "add {b}, {b_stride}\n",
        )
    };
}

/// Moves the row pointers by `$bytes`.
macro_rules! advance {
    ($bytes:literal) => {
        concat!(
            "add {a0}, ",
            $bytes,
            "\n",
            "add {a3}, ",
            $bytes,
            "\n",
            "add {a6}, ",
            $bytes,
            "\n",
            "add {a9}, ",
            $bytes,
            "\n",
        )
    };
}

/// Makes the loop around one instruction.
macro_rules! tile {
    ($(#[$doc:meta])* $name:ident, $features:literal, $step:literal) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `a` must be valid for `groups` words in each of `M` rows, `a_stride` words apart, and `b` for 32 words
        /// in each of `groups` steps of `b_stride` words.
        #[target_feature(enable = $features)]
        #[inline]
        pub(crate) unsafe fn $name<const M: usize>(
            a: *const u32,
            a_stride: usize,
            b: *const u32,
            b_stride: usize,
            groups: usize,
        ) -> [[__m512; 2]; M] {
            const { assert!(M >= 1 && M <= 12) };
            let mut s = [[_mm512_setzero_ps(); 2]; 12];
            let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11] = &mut s;
            let ([p0, q0], [p1, q1], [p2, q2], [p3, q3]) = (r0, r1, r2, r3);
            let ([p4, q4], [p5, q5], [p6, q6], [p7, q7]) = (r4, r5, r6, r7);
            let ([p8, q8], [p9, q9], [p10, q10], [p11, q11]) = (r8, r9, r10, r11);
            // SAFETY: reads what the caller vouches for and writes registers that are named below. Pointers to
            // rows that are not there are never followed, so they are made without a claim to be in bounds.
            unsafe {
                asm!(
                    "test {fours}, {fours}",
                    "jz 3f",
                    ".p2align 5",
                    "2:",
                    group!($step, "0"),
                    group!($step, "4"),
                    group!($step, "8"),
                    group!($step, "12"),
                    advance!("16"),
                    "dec {fours}",
                    "jnz 2b",
                    "3:",
                    "test {rest}, {rest}",
                    "jz 5f",
                    "4:",
                    group!($step, "0"),
                    advance!("4"),
                    "dec {rest}",
                    "jnz 4b",
                    "5:",
                    rows = const M,
                    a0 = inout(reg) a => _,
                    a3 = inout(reg) a.wrapping_add(3 * a_stride) => _,
                    a6 = inout(reg) a.wrapping_add(6 * a_stride) => _,
                    a9 = inout(reg) a.wrapping_add(9 * a_stride) => _,
                    stride = in(reg) 4 * a_stride,
                    b = inout(reg) b => _,
                    b_stride = in(reg) 4 * b_stride,
                    fours = inout(reg) groups / 4 => _,
                    rest = inout(reg) groups % 4 => _,
                    inout("zmm0") *p0, inout("zmm1") *q0, inout("zmm2") *p1, inout("zmm3") *q1,
                    inout("zmm4") *p2, inout("zmm5") *q2, inout("zmm6") *p3, inout("zmm7") *q3,
                    inout("zmm8") *p4, inout("zmm9") *q4, inout("zmm10") *p5, inout("zmm11") *q5,
                    inout("zmm12") *p6, inout("zmm13") *q6, inout("zmm14") *p7, inout("zmm15") *q7,
                    inout("zmm16") *p8, inout("zmm17") *q8, inout("zmm18") *p9, inout("zmm19") *q9,
                    inout("zmm20") *p10, inout("zmm21") *q10, inout("zmm22") *p11, inout("zmm23") *q11,
                    out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
                    options(readonly, nostack),
                );
            }
            let mut sums = [[_mm512_setzero_ps(); 2]; M];
            sums.copy_from_slice(&s[..M]);
            sums
        }
    };
}

tile! {
    /// Sums of products of f32.
    f32_tile, "avx512f,avx512bw,avx512vl,avx512dq", "vfmadd231ps"
}
tile! {
    /// Sums of products of pairs of bf16.
    bf16_tile, "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16", "vdpbf16ps"
}
tile! {
    /// Sums (i32, in the bits of f32) of products of unsigned bytes on the left with signed ones, four by four.
    int8_tile, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", "vpdpbusd"
}
tile! {
    /// Sums (i32, in the bits of f32) of products of pairs of 16-bit integers.
    int16_tile, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", "vpdpwssd"
}
