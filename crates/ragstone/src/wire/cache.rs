//! Where the program keeps what it can make or fetch again.

use std::path::PathBuf;

/// `$RAGSTONE_CACHE`, or the user's cache folder, or the system's scratch folder for a user without a home.
pub(super) fn cache_folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("RAGSTONE_CACHE") {
        return folder;
    }
    let home = || variable("HOME").filter(|h| h.is_dir()).map(|h| h.join(".cache"));
    let base = variable("XDG_CACHE_HOME").or_else(home).unwrap_or_else(std::env::temp_dir);
    base.join("ragstone")
}
