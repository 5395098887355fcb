use super::judge::{ALIGNED, COSINE};
use super::*;
use base::{Chunk, ChunkId, DocId, EmbedSpec, Metric, Role, TokenCounter};
use proptest::prelude::*;

/// Bag of reduced words hashed into 64 numbers: knows words, not meaning.
struct WordEmbedder(EmbedSpec);

impl WordEmbedder {
    fn new() -> Self {
        WordEmbedder(EmbedSpec {
            name: "words".into(),
            dimension: 64,
            metric: Metric::Cosine,
            max_tokens: 512,
            fingerprint: "words".into(),
        })
    }
}

impl Embedder for WordEmbedder {
    fn spec(&self) -> &EmbedSpec {
        &self.0
    }

    fn embed(&self, texts: &[&str], _role: Role, out: &mut Vec<f32>) -> Result<()> {
        for text in texts {
            let mut row = vec![0.0f32; 64];
            row[0] = 0.1;
            for term in terms::terms(text).iter().filter(|t| !t.stop) {
                let hash = term.stem.bytes().fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
                row[(hash % 64) as usize] += 1.0;
            }
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            out.extend(row.iter().map(|x| x / norm));
        }
        Ok(())
    }

    fn tokens(&self) -> &dyn TokenCounter {
        unreachable!("the composer counts no tokens")
    }
}

fn chunk(document: u64, start: usize, text: &str) -> ChunkRecord {
    ChunkRecord {
        id: ChunkId(document * 1000 + start as u64),
        document: DocId(document),
        ordinal: 0,
        chunk: Chunk { range: start..start + text.len(), context: String::new(), tokens: 1 },
        text: text.to_owned(),
    }
}

fn ask(question: &str, chunks: &[ChunkRecord], options: &Options) -> Composed {
    let embedder = WordEmbedder::new();
    let mut asked = Vec::new();
    embedder.embed(&[question], Role::Query, &mut asked).unwrap();
    let candidates: Vec<Candidate<'_>> = chunks
        .iter()
        .enumerate()
        .map(|(i, chunk)| {
            let mut row = Vec::new();
            embedder.embed(&[chunk.text.as_str()], Role::Passage, &mut row).unwrap();
            let dense = row.iter().zip(&asked).map(|(a, b)| a * b).sum();
            Candidate { chunk, score: 1.0 / (i + 1) as f32, bm25: None, dense: Some(dense) }
        })
        .collect();
    compose(question, &candidates, &embedder, options).unwrap()
}

fn quotes<'a>(composed: &Composed, chunks: &'a [ChunkRecord]) -> Vec<&'a str> {
    let quote = |pick: &Pick| {
        let chunk = &chunks[pick.candidate];
        &chunk.text[pick.range.start - chunk.chunk.range.start..pick.range.end - chunk.chunk.range.start]
    };
    composed.picks.iter().map(quote).collect()
}

const STONE: &str = "Ragstone is a hard grey limestone. It is quarried in Kent. The Tower of London was built with \
                     ragstone in 1078 by Gundulf of Rochester. Bees make honey.";

#[test]
fn the_sentence_with_the_expected_kind_comes_first() {
    let chunks = [chunk(1, 100, STONE), chunk(2, 0, "Limestone is common. Towers are tall.")];
    let one = Options { sentences_max: 1, ..Options::default() };
    for (question, part) in [
        ("When was the Tower of London built with ragstone?", "1078"),
        ("Who built the Tower of London with ragstone?", "Gundulf"),
        ("What is ragstone?", "limestone"),
    ] {
        let composed = ask(question, &chunks, &one);
        let found = quotes(&composed, &chunks);
        assert!(!composed.abstained && found.len() == 1 && found[0].contains(part), "{question}: {composed:?}");
    }
}

#[test]
fn an_answer_between_the_thresholds_is_unsure() {
    let chunks = [chunk(1, 100, STONE)];
    let found = |confidence_min, confidence_sure| {
        let options = Options { confidence_min, confidence_sure, ..Options::default() };
        let composed = ask("Where is ragstone quarried?", &chunks, &options);
        assert!((0.01..0.99).contains(&composed.confidence), "{composed:?}");
        (composed.abstained, composed.unsure)
    };
    assert_eq!(found(0.0, 1.0), (false, true));
    assert_eq!(found(0.0, 0.0), (false, false));
    assert_eq!(found(1.0, 1.0), (true, false), "what is withheld is not unsure");
}

#[test]
fn a_pronoun_brings_the_sentence_before() {
    let chunks = [chunk(1, 0, STONE)];
    let composed = ask("Where is ragstone quarried?", &chunks, &Options { sentences_max: 3, ..Options::default() });
    let found = quotes(&composed, &chunks);
    let at = found.iter().position(|q| q.starts_with("It is quarried")).unwrap();
    assert!(at > 0 && found[at - 1].starts_with("Ragstone is"), "{found:?}");
}

#[test]
fn a_row_brings_its_header() {
    let table = "Year | 2018 | 2019\nTotal sales | 1,202.9 | 1,496.5\nOther income | 56.7 | 44.1\nLosses | 0 | 1";
    let chunks = [chunk(1, 0, table)];
    // Which counts for nothing: without it the row says nothing.
    let composed =
        ask("What were the total sales in 2019?", &chunks, &Options { sentences_max: 1, ..Options::default() });
    assert_eq!(quotes(&composed, &chunks), ["Year | 2018 | 2019", "Total sales | 1,202.9 | 1,496.5"]);
}

#[test]
fn abstains_when_nothing_matches() {
    let chunks = [chunk(1, 0, STONE)];
    for question in ["zxqv wvut", "How many moons does Jupiter have?", "", "  ?! ", "🦀"] {
        let composed = ask(question, &chunks, &Options::default());
        assert!(composed.abstained, "{question}: {composed:?}");
    }
    assert!(ask("What is ragstone?", &[], &Options::default()).abstained);
}

#[test]
fn a_unit_must_say_something_new() {
    let text = "Quarrying ragstone\n\nRagstone is quarried near Maidstone.";
    let composed = ask("Where is ragstone quarried?", &[chunk(1, 0, text)], &Options::default());
    assert_eq!(quotes(&composed, &[chunk(1, 0, text)]), ["Ragstone is quarried near Maidstone."]);
    let code = "class Stone:\n    weight = 4\n    kind = \"grey\"\n";
    let composed = ask("What is a stone?", &[chunk(1, 0, code)], &Options::default());
    assert!(!quotes(&composed, &[chunk(1, 0, code)]).contains(&"class Stone:"));
    // Whether something is so can be answered in the question's own words.
    let fact = "Ragstone is not quarried in Kent.";
    let composed = ask("Is ragstone quarried in Kent?", &[chunk(1, 0, fact)], &Options::default());
    assert_eq!(quotes(&composed, &[chunk(1, 0, fact)]), [fact]);
}

/// The question of a list of questions was once quoted as its own answer, and the answer, which need not have a word
/// of it, was not found.
#[test]
fn what_follows_a_question_is_quoted_and_not_the_question() {
    let list = "Opening hours\n\nWhen should a system decline?\nIf nothing it found holds what was asked. A guess \
                costs more than silence.\n\nHow many passages are read?\nSix, from the best on.";
    let one = Options { sentences_max: 1, ..Options::default() };
    for (question, answer) in [
        ("When should a system decline?", "If nothing it found holds what was asked."),
        ("How many passages are read?", "Six, from the best on."),
    ] {
        let composed = ask(question, &[chunk(1, 9, list)], &one);
        assert!(!composed.abstained, "{composed:?}");
        assert_eq!(quotes(&composed, &[chunk(1, 9, list)]), [answer]);
    }
    // The question may be the heading that a long section was cut below.
    let mut below = chunk(1, 0, "If nothing it found holds what was asked.");
    below.chunk.context = "Quoting > When should a system decline?".to_owned();
    assert!(!ask("When should a system decline?", &[below], &one).abstained);
    // Nothing answers a question in running text.
    let prose = "Machines are judged. When should a system decline? The question has occupied many.";
    let composed = ask("When should a system decline?", &[chunk(1, 0, prose)], &Options::default());
    assert!(!quotes(&composed, &[chunk(1, 0, prose)]).iter().any(|quote| quote.ends_with('?')), "{composed:?}");
}

#[test]
fn a_statement_answers_in_the_words_of_the_question() {
    // Such statements were once skipped unless an English question began with a verb.
    for (question, fact) in [
        ("Which is harder, granite or slate?", "Granite is harder than slate."),
        ("In Kent, is ragstone quarried?", "Ragstone is quarried in Kent."),
        ("Tell me whether ragstone is quarried in Kent", "Ragstone is quarried in Kent."),
        ("Wird Ragstein in Kent gebrochen?", "Ragstein wird in Kent gebrochen."),
    ] {
        let composed = ask(question, &[chunk(1, 0, fact)], &Options::default());
        assert_eq!(quotes(&composed, &[chunk(1, 0, fact)]), [fact], "{question}");
    }
}

#[test]
fn a_question_of_common_words_has_no_answer() {
    let composed = ask("what is it and who are they", &[chunk(1, 0, "It is what they are.")], &Options::default());
    assert!(composed.abstained && composed.picks.is_empty() && composed.confidence == 0.0);
}

#[test]
fn the_sentence_that_defines_comes_first() {
    let text =
        "DetectGPT was tried on news. See Figure 1 for DetectGPT. DetectGPT is a test for text that a model wrote.";
    let one = Options { sentences_max: 1, ..Options::default() };
    let found = ask("What is DetectGPT?", &[chunk(1, 0, text)], &one);
    assert_eq!(quotes(&found, &[chunk(1, 0, text)]), ["DetectGPT is a test for text that a model wrote."]);
}

#[test]
fn a_row_in_the_middle_of_a_table_heads_nothing() {
    // The chunk's context holds the header; its first row was once quoted as one.
    let mut rows =
        chunk(1, 40, "2013,\"word2vec\",Mikolov,arXiv\n2016,\"HNSW graphs\",Malkov,arXiv\n2017,\"SQuAD\",Lee,EMNLP");
    rows.chunk.context = "year,what,who,where".to_owned();
    let two = Options { sentences_max: 2, ..Options::default() };
    let composed = ask("Who published HNSW graphs?", &[rows.clone()], &two);
    assert!(!quotes(&composed, &[rows]).iter().any(|quote| quote.starts_with("2013")), "{composed:?}");
}

#[test]
fn shared_stretches_and_copies_are_quoted_once() {
    let second = &STONE[35..];
    let chunks = [chunk(1, 100, STONE), chunk(1, 135, second), chunk(2, 0, STONE)];
    let composed = ask("When was the Tower of London built?", &chunks, &Options::default());
    let found = quotes(&composed, &chunks);
    let mut once = found.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), found.len(), "{found:?}");
}

#[test]
fn picks_follow_the_document() {
    let chunks = [chunk(1, 0, STONE)];
    let composed =
        ask("When and where was the hard grey ragstone of the Tower of London quarried?", &chunks, &Options::default());
    assert!(composed.picks.is_sorted_by_key(|p| p.range.start), "{composed:?}");
}

#[test]
fn embeds_a_bounded_number() {
    let long = "Stone is hard. ".repeat(3)
        + &(0..500).map(|i| format!("Number {i} is a number of stones. ")).collect::<String>();
    let chunks = [chunk(1, 0, &long)];
    let candidates = [Candidate { chunk: &chunks[0], score: 1.0, bm25: Some(1.0), dense: None }];
    let options = Options { embedded_max: 5, ..Options::default() };
    let judged = judge("How many stones?", &candidates, &WordEmbedder::new(), &options).unwrap();
    assert_eq!(judged.len(), 5);
    assert!(judged.iter().all(|j| j.features[COSINE] > 0.0));
}

#[test]
fn the_cosine_column_is_the_cosine() {
    assert_eq!(FEATURE_NAMES[COSINE], "cosine");
    assert_eq!(FEATURE_NAMES[ALIGNED..], ["aligned", "aligned_telling", "aligned_asked"]);
}

proptest! {
    #[test]
    fn quotes_are_slices_and_numbers_are_finite(
        question in "\\PC{0,40}",
        texts in proptest::collection::vec("[a-zA-Zé0-9 .|,?\n\t北京]{1,120}", 0..4),
        max in 0usize..5,
    ) {
        let chunks: Vec<ChunkRecord> = texts.iter().enumerate().map(|(i, t)| chunk(i as u64 / 2, i * 7, t)).collect();
        let options = Options { sentences_max: max, ..Options::default() };
        let composed = ask(&question, &chunks, &options);
        let heads = |pick: &&Pick| composed.picks.iter().any(|p| p.header == Some(Header::At(pick.range.clone())));
        let headers = composed.picks.iter().filter(heads).count();
        prop_assert!(composed.picks.len() - headers <= max.max(1));
        prop_assert!((0.0..=1.0).contains(&composed.confidence));
        for (pick, quote) in composed.picks.iter().zip(quotes(&composed, &chunks)) {
            prop_assert!(pick.score.is_finite() && !quote.trim().is_empty());
            prop_assert_eq!(quote.trim(), quote);
        }
        prop_assert_eq!(ask(&question, &chunks, &options), composed);
    }
}
