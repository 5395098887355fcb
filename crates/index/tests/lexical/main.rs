//! The lexical index as others use it.

mod absent;
mod damage;
mod exact;
mod explain;
mod golden;
mod highlight;
mod misspelt;
mod phrase;
mod rights;
mod segments;
mod support;
mod syntax;
