//! The language model of the settings.

use crate::config::Settings;
use base::{Generator, Result};

/// The generator, if one is configured. Nothing is sent yet.
///
/// # Errors
/// An address or a key that cannot be used.
pub fn generator(settings: &Settings) -> Result<Option<Box<dyn Generator>>> {
    let Some(wanted) = &settings.generator else { return Ok(None) };
    let mut told = connect::GeneratorSettings::new(&wanted.base_url, &wanted.model);
    told.api_key_env = wanted.api_key_env.clone();
    told.limits.total = wanted.timeout;
    told.limits.first_token = told.limits.first_token.min(wanted.timeout);
    told.limits.between_tokens = told.limits.between_tokens.min(wanted.timeout);
    told.limits.connect = told.limits.connect.min(wanted.timeout);
    connect::open_generator("openai", &told).map(Some)
}
