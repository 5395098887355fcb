//! Any text as a recipe: refused with a reason, or read, written and read the same again.
#![no_main]

use index::vector::Recipe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(recipe) = text.parse::<Recipe>() {
        assert_eq!(recipe.to_string().parse::<Recipe>().ok(), Some(recipe));
    }
});
