//! Which nodes no walk could reach.

use super::links::Links;
use base::RowSet;

/// Nodes of `members` that cannot be reached from `from`: one for each part of the graph that is cut off, so
/// that with them as further starts every member is reached.
pub(crate) fn islands(links: &Links<'_>, members: &[u32], from: &[u32]) -> Vec<u32> {
    let mut seen = RowSet::new();
    let mut stack: Vec<u32> = Vec::new();
    let mut visit = |start: &[u32]| {
        stack.extend(start.iter().filter(|&&node| seen.insert(node)));
        let new = !stack.is_empty();
        while let Some(node) = stack.pop() {
            stack.extend(links.of(node).into_iter().filter(|&link| seen.insert(link)));
        }
        new
    };
    visit(from);
    members.iter().copied().filter(|&member| visit(&[member])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_gets_a_start() {
        let fields = [1u32, u32::MAX, 0, 2, u32::MAX, u32::MAX, 4, u32::MAX, 3, u32::MAX, 4, u32::MAX];
        let bytes: Vec<u8> = fields.iter().flat_map(|f| f.to_le_bytes()).collect();
        let links = Links::words(&bytes, 2);
        assert_eq!(islands(&links, &[0, 1, 2, 3, 4, 5], &[0]), [3, 5]);
        assert_eq!(islands(&links, &[0, 1, 2], &[0]), [0; 0]);
        assert_eq!(islands(&links, &[], &[]), [0; 0]);
    }
}
