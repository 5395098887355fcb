//! What holds inside of a group, and is as before after it.

use encoding_rs::Encoding;

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    Body,
    Note,
    /// A field of the information group (`title`, `author`).
    Info(&'static str),
    /// A style's name.
    StyleName,
    /// The table of fonts, which says which code page each is in.
    Fonts,
    Nowhere,
}

/// Properties of a group.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub target: Target,
    /// How many characters follow a `\u` for readers that do not know it.
    pub replacement: usize,
    /// Code page of the current font.
    pub page: Option<&'static Encoding>,
    pub hidden: bool,
    pub in_table: bool,
    pub listed: bool,
    pub outline: Option<u8>,
    pub style: Option<i32>,
}

impl State {
    /// What a file begins with.
    pub(super) const BODY: State = State {
        target: Target::Body,
        replacement: 1,
        page: None,
        hidden: false,
        in_table: false,
        listed: false,
        outline: None,
        style: None,
    };
}
