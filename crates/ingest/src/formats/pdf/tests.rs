use super::*;

#[test]
fn pages_are_listed_as_runs() {
    assert_eq!(list("page", &[3]), "page 3");
    assert_eq!(list("page", &[1, 2, 3, 7]), "pages 1-3, 7");
}

#[test]
fn header_decides() {
    assert_eq!(sniff(b"%PDF-1.7\n", "a"), Sniff::Sure);
    assert_eq!(sniff(b"junk\n%PDF-1.4\n", "A.PDF"), Sniff::Sure);
    assert_eq!(sniff(b"The header %PDF-1.4 comes first", "a.txt"), Sniff::Maybe);
    assert_eq!(sniff(b"PK\x03\x04", "a.pdf"), Sniff::No);
}
