//! The lexical index: words to rows, exactly scored.
//!
//! A [`LexicalBuilder`] takes documents row by row and gives the bytes of an immutable segment; a
//! [`LexicalSegment`] reads them; a [`LexicalSearcher`] searches several segments as one, under the statistics of
//! the rows this reader may see. Segments are merged with [`LexicalSegment::merge`].
//!
//! ```
//! use index::lexical::{Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Query, SegmentView};
//!
//! let mut builder = LexicalBuilder::new(LexicalOptions::default());
//! builder.add(&Fields { title: "Masonry", body: "Ragstone is a hard grey limestone.", ..Fields::default() });
//! builder.add(&Fields::body("Granite is harder than limestones."));
//! let segment = LexicalSegment::from_vec(builder.finish())?;
//! let searcher = LexicalSearcher::new(vec![SegmentView { segment, visible: None }])?;
//! let mut hits = Vec::new();
//! searcher.search(&Query::parse("What is ragstone made of?"), 10, &mut hits)?;
//! assert_eq!(hits[0].row, 0);
//! # Ok::<(), base::Error>(())
//! ```

mod accumulators;
mod analysis;
mod bounded;
mod builder;
mod corpus;
mod cursor;
mod dictionary;
mod edits;
mod exhaustive;
mod explain;
mod format;
mod found;
mod fractions;
mod highlight;
mod impacts;
mod lengths;
mod matching;
mod maxscore;
mod measures;
mod merge;
mod misspelt;
mod options;
mod phrase_matcher;
mod phrases;
mod plan;
mod planner;
mod postings;
mod query;
mod run;
mod scoring;
mod scratch;
mod searcher;
mod segment;
mod sparse;
mod statistics;
mod syntax;
mod terms;
mod texts;
mod topk;
mod unrolled;
mod vector_space;
mod view;
mod waiting;
mod wand;
mod writer;

pub use analysis::{Analysis, Language, LanguageChoice, Token};
pub use builder::LexicalBuilder;
pub use explain::{Explanation, Standing, TermExplanation};
pub use options::{Fields, LexicalOptions};
pub use query::{Clause, Field, Matcher, Occur, Pruning, Query};
pub use scoring::{Bm25Variant, Scoring};
pub use searcher::{LexicalHit, LexicalSearcher};
pub use segment::{LexicalSegment, SegmentBytes};
pub use sparse::SparseBuilder;
pub use texts::RowTexts;
pub use view::SegmentView;
