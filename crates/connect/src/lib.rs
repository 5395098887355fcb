//! Everything that speaks to somebody else's server.
