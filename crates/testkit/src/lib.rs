//! Conformance suites, fixtures and fakes for tests (development only).
