//! Which instruction set the numeric loops use: chosen once, at the first use.

use std::fmt;
use std::sync::OnceLock;

/// An instruction set level. Each includes those before it on the same architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain Rust, on every machine.
    Scalar,
    /// aarch64: 128-bit vectors with fused multiply-add, f32. Every such processor has them.
    Neon,
    /// aarch64: NEON with 8-bit integer dot products.
    Dotprod,
    /// aarch64: those, and products of 8-bit integer matrices of two rows.
    I8mm,
    /// 256-bit vectors with fused multiply-add, f32.
    Avx2,
    /// 512-bit vectors (F, BW, VL, DQ), f32.
    Avx512,
    /// AVX-512 with pairwise bf16 dot products.
    Bf16,
    /// AVX-512 with 8-bit integer dot products.
    Vnni,
    /// Products of whole tiles, bf16 and 8-bit integers, besides AVX-512 with both of the above. Linux only: the
    /// system must permit tiles to the process, and their products be right; both are tried once.
    Amx,
}

/// Every level of every architecture, slowest first.
pub const LEVELS: [Level; 9] = [
    Level::Scalar,
    Level::Neon,
    Level::Dotprod,
    Level::I8mm,
    Level::Avx2,
    Level::Avx512,
    Level::Bf16,
    Level::Vnni,
    Level::Amx,
];

impl Level {
    /// The name that `RAGSTONE_SIMD` takes.
    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Neon => "neon",
            Level::Dotprod => "dotprod",
            Level::I8mm => "i8mm",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
            Level::Bf16 => "bf16",
            Level::Vnni => "vnni",
            Level::Amx => "amx",
        }
    }

    /// The level of this name.
    pub fn parse(name: &str) -> Option<Level> {
        LEVELS.into_iter().find(|l| l.name() == name)
    }

    /// Whether this machine can run it.
    pub fn available(self) -> bool {
        match self {
            Level::Scalar => true,
            #[cfg(target_arch = "aarch64")]
            Level::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(target_arch = "aarch64")]
            Level::Dotprod => Level::Neon.available() && std::arch::is_aarch64_feature_detected!("dotprod"),
            #[cfg(target_arch = "aarch64")]
            Level::I8mm => Level::Dotprod.available() && std::arch::is_aarch64_feature_detected!("i8mm"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                Level::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
            }
            #[cfg(target_arch = "x86_64")]
            Level::Bf16 => Level::Avx512.available() && is_x86_feature_detected!("avx512bf16"),
            #[cfg(target_arch = "x86_64")]
            Level::Vnni => Level::Avx512.available() && is_x86_feature_detected!("avx512vnni"),
            #[cfg(target_arch = "x86_64")]
            Level::Amx => Level::Bf16.available() && Level::Vnni.available() && crate::arch::amx::available(),
            _ => false,
        }
    }

    /// Whether products of pairs of bf16 are faster than those of f32: by tiles always; with AVX-512 not on Intel's
    /// processors, where `vdpbf16ps` takes the time of four multiply-adds (2.8 GHz Emerald Rapids: .72 against .18 ns).
    pub(crate) fn multiplies_pairs_fast(self) -> bool {
        self >= Level::Bf16 && self.available() && Level::Bf16.available() && (self == Level::Amx || !made_by_intel())
    }

    /// The fastest level of this machine.
    pub fn best() -> Level {
        LEVELS.into_iter().rev().find(|l| l.available()).unwrap_or(Level::Scalar)
    }
}

/// The maker's name in leaf 0 of CPUID.
#[cfg(target_arch = "x86_64")]
fn made_by_intel() -> bool {
    let leaf = std::arch::x86_64::__cpuid(0);
    [leaf.ebx, leaf.edx, leaf.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
}

#[cfg(not(target_arch = "x86_64"))]
fn made_by_intel() -> bool {
    false
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The level in use: `RAGSTONE_SIMD` if it names one that this machine has, else the fastest.
///
/// A name that is unknown or not available is ignored here; a program complains of it before, by [`forced`].
pub fn level() -> Level {
    static CHOSEN: OnceLock<Level> = OnceLock::new();
    *CHOSEN.get_or_init(|| match forced() {
        Some(Ok(level)) => level,
        _ => Level::best(),
    })
}

/// What `RAGSTONE_SIMD` asks for: nothing, a level of this machine, or the text that is neither.
pub fn forced() -> Option<Result<Level, String>> {
    let name = std::env::var("RAGSTONE_SIMD").ok().filter(|n| !n.is_empty())?;
    Some(Level::parse(&name.to_ascii_lowercase()).filter(|l| l.available()).ok_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for level in LEVELS {
            assert_eq!(Level::parse(level.name()), Some(level));
        }
        assert_eq!(Level::parse("sse9"), None);
        assert!(Level::Scalar.available());
        assert!(Level::best().available());
    }
}
