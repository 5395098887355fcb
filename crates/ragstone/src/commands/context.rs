//! What every command is handed.

use crate::config::{Resolved, Settings};
use crate::terminal::Terminal;

/// What every command may use.
pub struct Context {
    /// Every setting and its origin.
    pub resolved: Resolved,
    /// The settings as values.
    pub settings: Settings,
    /// Where results go.
    pub terminal: Terminal,
}
