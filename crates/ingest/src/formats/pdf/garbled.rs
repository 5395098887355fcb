//! Text that is not what the page shows: fonts need not say which characters their glyphs stand for.

use super::layout::Page;

impl Page {
    /// Counts letters and digits, and characters that stand for an unknown glyph: those of private use, and
    /// words of letters from everywhere, which is what the numbers of glyphs look like when read as text.
    pub fn letters_and_bad(&self) -> (usize, usize) {
        let mut counts = (0, 0);
        for word in self.texts().flat_map(str::split_whitespace) {
            let bad = |c| matches!(c, '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}');
            let unknown = word.chars().filter(|&c| bad(c)).count();
            let letters = word.chars().filter(|c| c.is_alphanumeric()).count();
            if of_many_scripts(word) {
                counts.1 += letters + unknown;
            } else {
                counts.0 += letters;
                counts.1 += unknown;
            }
        }
        counts
    }
}

/// Whether the letters of a word come from three or more scripts, counted by blocks of 128 code points: Latin,
/// Greek and mathematical letters stand beside anything, and scripts of several blocks count once.
fn of_many_scripts(word: &str) -> bool {
    let mut blocks = [0u32; 3];
    let mut found = 0;
    for c in word.chars().filter(|c| c.is_alphabetic()) {
        let block = match c as u32 {
            0..0x400 | 0x1D00..0x1E00 | 0x1E00..0x2C00 | 0xFB00..0xFB07 | 0xFF21..0xFF5B | 0x1D400..0x1D800 => continue,
            0x600..0x700 | 0x750..0x780 | 0x8A0..0x900 | 0xFB50..0xFF00 => 0x600 >> 7,
            0x2E80..0xD800 | 0xF900..0xFB00 | 0xFF66..0xFFDD | 0x20000..0x40000 => 0x4E00 >> 7,
            0x400..0x530 => 0x400 >> 7,
            c => c >> 7,
        };
        if !blocks[..found].contains(&block) {
            blocks[found] = block;
            found += 1;
            if found == blocks.len() {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_scripts_are_glyph_numbers() {
        for word in ["Ă\u{304}Ԇ܈ऊଌഎ༐", "ԆऊԌଌ", "\u{102}\u{506}\u{712}\u{90e}"] {
            assert!(of_many_scripts(word), "{word}");
        }
        for word in ["Straße", "αβ∂x", "𝛼ℓx", "Прага", "日本語テキスト한국", "العربية", "हिन्दी", "ไทย", "µm", "naïve"]
        {
            assert!(!of_many_scripts(word), "{word}");
        }
    }
}
