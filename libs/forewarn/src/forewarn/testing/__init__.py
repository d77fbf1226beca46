"""Builders, strategies and fakes for tests, never imported by production code."""
