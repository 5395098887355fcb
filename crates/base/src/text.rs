//! Offsets people can use.

/// The number of characters (Unicode scalar values) before byte `byte` of `text`.
///
/// ```
/// assert_eq!(base::char_offset("héllo", 3), 2);
/// ```
pub fn char_offset(text: &str, byte: usize) -> usize {
    // Every byte that is not a continuation byte starts a character.
    text.as_bytes()[..byte].iter().filter(|&&b| b & 0xC0 != 0x80).count()
}

/// The line of byte `byte` of `text`, counted from 1.
pub fn line_of(text: &str, byte: usize) -> u32 {
    1 + text.as_bytes()[..byte].iter().filter(|&&b| b == b'\n').count() as u32
}
