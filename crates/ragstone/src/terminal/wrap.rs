//! Text broken into lines that fit.

use unicode_width::UnicodeWidthStr;

/// `text` with its white space folded, broken at spaces into lines of at most `width` columns (a longer word
/// stands alone), each after `indent` spaces.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(10);
    let margin = " ".repeat(indent);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut columns = 0;
    for word in text.split_whitespace() {
        let wide = word.width();
        if columns > 0 && columns + 1 + wide > room {
            lines.push(format!("{margin}{line}"));
            (line, columns) = (String::new(), 0);
        }
        if columns > 0 {
            line.push(' ');
            columns += 1;
        }
        line.push_str(word);
        columns += wide;
    }
    if columns > 0 {
        lines.push(format!("{margin}{line}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        assert_eq!(wrap("one two\nthree  four", 12, 2), "  one two\n  three four");
        assert_eq!(wrap("abcdefghijklmnop q", 10, 0), "abcdefghijklmnop\nq");
        assert_eq!(wrap("日本語日本語 語", 12, 0), "日本語日本語\n語");
        assert_eq!(wrap("", 10, 0), "");
    }
}
