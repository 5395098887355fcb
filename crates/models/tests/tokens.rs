//! Our WordPiece against the reference implementation, token by token.

use base::TokenCounter;
use models::tokenizer::Tokenizer;
use proptest::prelude::*;
use std::sync::LazyLock;

/// A `tokenizer.json` over the built-in model's vocabulary, as it is published.
fn json(lowercase: bool) -> String {
    let bytes = include_bytes!("../assets/all-MiniLM-L6-v2.safetensors");
    let file = models::safetensors::TensorFile::parse("the built-in model", bytes).unwrap();
    let text = std::str::from_utf8(file.bytes(models::builtin::VOCABULARY).unwrap()).unwrap();
    let vocabulary: serde_json::Map<String, serde_json::Value> =
        text.lines().enumerate().map(|(i, t)| (t.to_owned(), i.into())).collect();
    let added: Vec<_> = [("[PAD]", 0), ("[UNK]", 100), ("[CLS]", 101), ("[SEP]", 102), ("[MASK]", 103)]
        .into_iter()
        .map(|(t, id)| {
            serde_json::json!({"id": id, "special": true, "content": t, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false})
        })
        .collect();
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
    .to_string()
}

struct Pair {
    ours: Tokenizer,
    reference: tokenizers::Tokenizer,
}

static PAIRS: LazyLock<[Pair; 2]> = LazyLock::new(|| {
    [true, false].map(|lowercase| {
        let json = json(lowercase);
        Pair { ours: Tokenizer::parse("test", &json).unwrap(), reference: json.parse().unwrap() }
    })
});

fn check(text: &str) {
    for pair in &*PAIRS {
        let expected = pair.reference.encode(text, true).unwrap();
        let mut ids = Vec::new();
        pair.ours.encode(text, usize::MAX, &mut ids).unwrap();
        assert_eq!(ids, expected.get_ids(), "{text:?}");
        assert_eq!(pair.ours.count(text) + 2, ids.len());
        let mut ranges = Vec::new();
        pair.ours.offsets(text, &mut ranges);
        assert_eq!(ranges.len() + 2, ids.len());
        let mut last = 0;
        for range in &ranges {
            assert!(range.start < range.end, "{range:?} in {text:?}");
            assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end), "{range:?} in {text:?}");
            assert!(range.start >= last, "{range:?} in {text:?}");
            last = range.start;
        }
        // Cut short, the beginning is the same.
        let mut few = Vec::new();
        pair.ours.encode(text, 7, &mut few).unwrap();
        assert_eq!(few.len(), ids.len().min(7));
        assert_eq!(few[..few.len() - 1], ids[..few.len() - 1], "{text:?}");
    }
}

#[test]
fn plain_and_odd_texts() {
    for text in [
        "",
        " \t\r\n",
        "Hello, World! It's 3.14 o'clock -- isn't it?",
        "unaffable embeddings tokenisation",
        "The café's naïve façade — ça va? Ünïcödé ÀÉÎÕÜ ñ ß ﬁ Ǆ İstanbul ıI",
        "日本語テキスト 中文字符 한국어 텍스트 ไทยไม่มีช่องว่าง العربية עברית हिन्दी",
        "a\u{0301}e\u{0327}\u{0301} Z\u{0351}\u{036b}\u{0343}\u{036a}algo q\u{0307}\u{0323}",
        "\u{1B44}\u{302E}\u{302F}\u{1D165}\u{1D16D} a\u{302F}\u{1D165}b \u{0f71}\u{0f72}\u{0f74}",
        "zero\u{200b}width\u{feff}join\u{200d}er\u{2060} soft\u{ad}hyphen nul\0byte \u{fffd} \u{1}\u{1f}\u{7f}\u{85}\u{a0}x\u{2028}y",
        "vertical\u{b}tab form\u{c}feed line\u{85}next",
        "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ✈️ ™ © ½ ② Ⅷ ∑ ≠ → €",
        "[CLS] literal [SEP] and [MASK][PAD] [UNK] [cls] [SE P] [MASK",
        "https://example.org/a_b-c?d=e&f=%20#g user@example.com C++ f(x)=x^2; {\"k\":[1,2]}",
        "Ａｆｕｌｌ　ｗｉｄｔｈ ｶﾀｶﾅ",
        "\u{1d16d}\u{1b44}字 \u{f80}\u{1b44}\u{f77}", // canonical ordering swaps the first two
        "##ing ## # ##",
        "ẞ Σίσυφος ΣΑΣ ǅ Ω Å K",
        "\u{2B820}\u{2B91F}\u{20000}\u{F900}\u{2F800}\u{9FFF}\u{3400}",
        "\u{AC00}\u{D7A3} \u{1100}\u{1161}\u{11A8}",
    ] {
        check(text);
    }
}

#[test]
fn long_words_and_long_texts() {
    for n in [99, 100, 101, 5000] {
        check(&"a".repeat(n));
        check(&"é".repeat(n));
        check(&format!("x {} y", "字a".repeat(n)));
    }
    check(&"word ".repeat(3000));
    check(&"!".repeat(3000));
}

#[test]
fn every_character() {
    // Each assigned plane's characters, alone and between letters, in lines that stay short.
    let all: Vec<char> = (0..0x3_2000u32).chain(0xE_0000..0xE_0200).filter_map(char::from_u32).collect();
    for chunk in all.chunks(64) {
        let text: String = chunk.iter().flat_map(|&c| ['a', c, 'B', ' ', c, ' ']).collect();
        check(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_text(text in "\\PC{0,60}") {
        check(&text);
    }

    #[test]
    fn random_characters(text in proptest::collection::vec(any::<char>(), 0..60)) {
        check(&text.into_iter().collect::<String>());
    }

    #[test]
    fn marks_and_letters(text in "[a-cA-C \\u{0300}-\\u{036f}\\u{05b0}-\\u{05c7}\\u{0f71}-\\u{0f87}\\u{302a}-\\u{302f}\\u{1d165}-\\u{1d172}\\u{1b44}é字]{0,40}") {
        check(&text);
    }
}
