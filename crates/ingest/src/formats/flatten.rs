//! Trees (JSON, XML) to readable lines `path: value`, grouped into blocks by what belongs together.
//!
//! A leaf is a value with its address. Leaves of one small object share a block, each item of an array of
//! objects has its own, a long value is a paragraph. The address of a block is that of the object, so that a
//! citation leads to the record.

use base::{BlockKind, DocumentBuilder, Locator, Place};

/// A value and where it stands: segments that each begin with `/`.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) pointer: String,
    pub(super) value: String,
}

/// How the leaves of a format are shown.
pub(super) struct Style {
    /// Language of the code blocks.
    pub(super) language: &'static str,
    /// Whether a paragraph begins with its path.
    pub(super) label_paragraphs: bool,
    /// A segment without what numbers it; empty when it is only a number.
    pub(super) name: fn(&str) -> String,
}

/// Leaves up to this many bytes together form one block.
const GROUP_BYTES: usize = 600;
/// A value longer than this, or with a line break, is a paragraph.
const LONG_BYTES: usize = 160;
/// Innermost names shown of a path.
const NAMES_MAX: usize = 4;

/// Adds the blocks of `leaves` below the address `outer`.
pub(super) fn add(leaves: &[Leaf], outer: &Locator, style: &Style, builder: &mut DocumentBuilder) {
    // Groups still to do, as (first, end, bytes of pointer they share); a stack, because trees are deep.
    let mut todo = vec![(0, leaves.len(), 0)];
    while let Some((first, end, shared)) = todo.pop() {
        let group = &leaves[first..end];
        if group.is_empty() {
            continue;
        }
        let size: usize = group.iter().map(|l| l.value.len() + 20).sum();
        let runs = runs(group, shared);
        let records = group.iter().any(|l| has_record(l.pointer.get(shared..).unwrap_or("")));
        if group.len() == 1 || (size <= GROUP_BYTES && !records) {
            block(group, shared, outer, style, builder);
            continue;
        }
        // Neighbouring single values stay together.
        let mut parts: Vec<(usize, usize, usize)> = Vec::new();
        for (segment, from, to) in runs {
            let single = to - from == 1;
            let below = shared + segment.len();
            match parts.last_mut() {
                Some((start, stop, at)) if single && *at == shared && size_of(&group[*start..*stop]) < GROUP_BYTES => {
                    *stop = to;
                }
                _ => parts.push((from, to, if single { shared } else { below })),
            }
        }
        if parts.len() == 1 && parts[0].2 == shared {
            block(group, shared, outer, style, builder);
            continue;
        }
        // Last in, first out: the first part is written first.
        for (from, to, at) in parts.into_iter().rev() {
            todo.push((first + from, first + to, at));
        }
    }
}

fn size_of(group: &[Leaf]) -> usize {
    group.iter().map(|l| l.value.len() + 20).sum()
}

/// Neighbouring leaves with the same segment after `shared` bytes: the segment, first and end.
fn runs(group: &[Leaf], shared: usize) -> Vec<(&str, usize, usize)> {
    let segment = |leaf: &'_ Leaf| -> usize {
        let rest = leaf.pointer.get(shared..).unwrap_or("");
        rest.get(1..).and_then(|r| r.find('/')).map_or(rest.len(), |n| n + 1)
    };
    let mut runs: Vec<(&str, usize, usize)> = Vec::new();
    for (i, leaf) in group.iter().enumerate() {
        let own = leaf.pointer.get(shared..shared + segment(leaf)).unwrap_or("");
        match runs.last_mut() {
            Some((last, _, end)) if *last == own && !own.is_empty() => *end = i + 1,
            _ => runs.push((own, i, i + 1)),
        }
    }
    runs
}

/// Whether a path leads through a second or later item of an array to a name: a list of records.
fn has_record(path: &str) -> bool {
    let mut later = false;
    for segment in path.split('/').skip(1) {
        let numbered = segment.bytes().all(|b| b.is_ascii_digit());
        if later && !numbered {
            return true;
        }
        later |= segment.ends_with(']') || numbered && segment != "0";
    }
    false
}

/// Writes one group: its short values as lines, each long value as a paragraph.
fn block(group: &[Leaf], shared: usize, outer: &Locator, style: &Style, builder: &mut DocumentBuilder) {
    let mut lines = String::new();
    let mut last: Option<(String, usize)> = None;
    let pointer = match group {
        [one] => one.pointer.as_str(),
        _ => &group[0].pointer[..shared],
    };
    let at = |pointer: &str| outer.clone().then(Place::Pointer(pointer.to_owned()));
    let code = || BlockKind::Code { language: style.language.to_owned() };
    for leaf in group {
        let label = label(&leaf.pointer, style);
        if leaf.value.len() > LONG_BYTES || leaf.value.contains('\n') {
            builder.block(code(), at(pointer), &lines);
            lines.clear();
            last = None;
            let text = match style.label_paragraphs && !label.is_empty() {
                true => format!("{label}: {}", leaf.value),
                false => leaf.value.clone(),
            };
            builder.block(BlockKind::Paragraph, at(&leaf.pointer), &text);
            continue;
        }
        match &mut last {
            // The items of an array of values stand on one line.
            Some((before, length)) if *before == label && *length < 400 => {
                lines.push_str(", ");
                *length += leaf.value.len();
            }
            _ => {
                if !lines.is_empty() {
                    lines.push('\n');
                }
                if !label.is_empty() {
                    lines.push_str(&label);
                    lines.push_str(": ");
                }
                last = Some((label, leaf.value.len()));
            }
        }
        lines.push_str(&leaf.value);
    }
    builder.block(code(), at(pointer), &lines);
}

/// The innermost names of a path, joined by full stops.
fn label(pointer: &str, style: &Style) -> String {
    let mut names: Vec<String> =
        pointer.rsplit('/').map(|s| (style.name)(s)).filter(|n| !n.is_empty()).take(NAMES_MAX).collect();
    names.reverse();
    names.join(".")
}
