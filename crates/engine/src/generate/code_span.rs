//! Code in backticks inside a sentence.

/// `text` cut where code in backticks begins and ends; a run of backticks without its partner is prose.
pub(super) fn code_spans(text: &str) -> Vec<(&str, bool)> {
    let run = |s: &str| s.bytes().take_while(|&b| b == b'`').count();
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(open) = text[at..].find('`').map(|i| at + i) {
        let ticks = run(&text[open..]);
        let mut search = open + ticks;
        let close = loop {
            let Some(i) = text[search..].find('`').map(|i| search + i) else { break None };
            let n = run(&text[i..]);
            search = i + n;
            if n == ticks {
                break Some(search);
            }
        };
        at = match close {
            Some(close) => {
                out.push((&text[start..open], false));
                out.push((&text[open..close], true));
                start = close;
                close
            }
            None => open + ticks,
        };
    }
    out.push((&text[start..], false));
    out.retain(|(part, _)| !part.is_empty());
    out
}
