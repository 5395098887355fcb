//! How far a long run is: a bar with rate and remaining time on a terminal, a plain line now and then elsewhere.

use super::printable_name;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Seconds between plain lines: enough to see life in a log, not enough to fill it.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Progress over a known number of steps.
pub enum Bar {
    /// Nothing is shown.
    Silent,
    /// A line of a log from time to time.
    Plain {
        /// What is counted.
        unit: &'static str,
        /// When the run began.
        started: Instant,
        /// When a line was last written.
        last: Instant,
    },
    /// Drawn in place.
    Drawn(ProgressBar),
}

impl Bar {
    /// A bar that counts `unit`s.
    pub fn new(unit: &'static str, quiet: bool) -> Self {
        if quiet {
            return Bar::Silent;
        }
        let plain = !stderr().is_terminal() || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        if plain {
            let now = Instant::now();
            return Bar::Plain { unit, started: now, last: now };
        }
        let bar = ProgressBar::new(0);
        let template = format!("{{bar:24}} {{pos}}/{{len}} {unit}  {{rate}}  {{eta}} left  {{msg}}");
        // The template is ours and constant but for the unit.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            // The library's own rate has four decimals.
            let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{:.1}/s", state.per_sec());
            };
            bar.set_style(style.with_key("rate", rate));
        }
        Bar::Drawn(bar)
    }

    /// Shows that `done` of `total` are finished, the last one being `name`.
    pub fn show(&mut self, done: usize, total: usize, name: &str) {
        match self {
            Bar::Silent => {}
            Bar::Plain { unit, started, last } => {
                if last.elapsed() >= PLAIN_EVERY {
                    *last = Instant::now();
                    let rate = done as f64 / started.elapsed().as_secs_f64();
                    let left = if rate > 0.0 { (total - done) as f64 / rate } else { 0.0 };
                    let _ = writeln!(stderr().lock(), "{done}/{total} {unit}, {rate:.1} per second, {left:.0} s left");
                }
            }
            Bar::Drawn(bar) => {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                let tail: String = name.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
                bar.set_message(printable_name(&tail));
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Bar::Drawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}
