//! A collection on disk: one commit point, immutable segments, snapshots.
