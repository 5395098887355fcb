//! Any text is a model configuration or a named error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use models::config::Shape;

fuzz_target!(|json: &str| {
    if let Ok(shape) = Shape::parse("fuzz", json) {
        assert!(shape.tokens_max() > 0 && shape.hidden.is_multiple_of(shape.heads));
        assert!(shape.modern.is_none_or(|m| m.global.len() == shape.layers));
    }
});
