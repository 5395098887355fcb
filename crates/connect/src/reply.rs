//! What a chat-completions server says: one object, or one per streamed event. Both are read leniently,
//! because every server adds, renames or leaves out something.

use serde_json::Value;

/// Tokens spent, as far as the server tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the answer, thoughts included.
    pub completion_tokens: u64,
}

/// One object of a reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// Text of the answer.
    pub text: String,
    /// Why the model stopped, once it has.
    pub finish: Option<String>,
    /// The counts, once they are told.
    pub usage: Option<Usage>,
    /// The server's complaint.
    pub error: Option<String>,
}

/// Reads an object that is a whole reply or a streamed piece of one.
pub(crate) fn read(value: &Value) -> Part {
    let mut part = Part { error: error_message(value), ..Part::default() };
    if let Some(usage) = value.get("usage").filter(|u| u.is_object()) {
        let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
        part.usage =
            Some(Usage { prompt_tokens: count("prompt_tokens"), completion_tokens: count("completion_tokens") });
    }
    // Only one choice was asked for; others, if any, are other answers.
    let choices = value.get("choices").and_then(Value::as_array);
    let first = choices.and_then(|c| c.iter().find(|c| c.get("index").and_then(Value::as_u64).unwrap_or(0) == 0));
    if let Some(choice) = first {
        part.finish = choice.get("finish_reason").and_then(Value::as_str).map(str::to_owned);
        let message = ["delta", "message"].iter().filter_map(|name| choice.get(name)).find(|m| m.is_object());
        match message {
            Some(message) => {
                part.text = content(message.get("content"));
                if part.text.is_empty() {
                    part.text = content(message.get("refusal"));
                }
            }
            None => part.text = content(choice.get("text")),
        }
    }
    part
}

/// A string, `null`, or an array of typed parts of which the text is taken.
fn content(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text").and_then(Value::as_str))).collect()
        }
        _ => String::new(),
    }
}

/// The complaint in `{"error": {"message"}}`, `{"error": ".."}`, `{"object": "error", "message"}` or
/// `{"detail": ..}`; `None` for a reply without one.
pub(crate) fn error_message(value: &Value) -> Option<String> {
    let text = |v: &Value| match v {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value.get("error") {
        None | Some(Value::Null) => {}
        Some(error) => return Some(error.get("message").filter(|m| !m.is_null()).map_or_else(|| text(error), text)),
    }
    if value.get("choices").is_some() {
        return None;
    }
    ["message", "detail"].iter().find_map(|name| value.get(name)).filter(|v| !v.is_null()).map(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(json: &str) -> Part {
        read(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn texts() {
        let cases = [
            (r#"{"choices":[{"delta":{"content":"a"}}]}"#, "a"),
            (r#"{"choices":[{"delta":{"content":null,"role":"assistant"}}]}"#, ""),
            (r#"{"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]}"#, ""),
            (r#"{"choices":[{"delta":null,"message":{"content":"m"}}]}"#, "m"),
            (r#"{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"image"},"b"]}}]}"#, "ab"),
            (r#"{"choices":[{"text":"old"}]}"#, "old"),
            (r#"{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]}"#, "yes"),
            (r#"{"choices":[{"message":{"content":null,"refusal":"I cannot."}}]}"#, "I cannot."),
            (r#"{"choices":[]}"#, ""),
            (r#"{"choices":null}"#, ""),
            (r#"[1]"#, ""),
        ];
        for (json, expected) in cases {
            assert_eq!(part(json).text, expected, "{json}");
        }
    }

    #[test]
    fn ends_and_counts() {
        let json =
            r#"{"choices":[{"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":9}}"#;
        let part = part(json);
        assert_eq!(part.finish.as_deref(), Some("length"));
        assert_eq!(part.usage, Some(Usage { prompt_tokens: 3, completion_tokens: 9 }));
    }

    #[test]
    fn complaints() {
        let cases = [
            (r#"{"error":{"message":"no such model","code":404}}"#, Some("no such model")),
            (r#"{"error":"plain"}"#, Some("plain")),
            (r#"{"error":{"code":7}}"#, Some(r#"{"code":7}"#)),
            (r#"{"object":"error","message":"vLLM says"}"#, Some("vLLM says")),
            (r#"{"detail":"Not Found"}"#, Some("Not Found")),
            (r#"{"error":null,"choices":[]}"#, None),
            (r#"{"choices":[],"message":"hello"}"#, None),
        ];
        for (json, expected) in cases {
            assert_eq!(part(json).error.as_deref(), expected, "{json}");
        }
    }
}
