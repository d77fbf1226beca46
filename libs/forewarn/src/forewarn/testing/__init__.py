"""Builders, strategies and fakes for tests; never imported by what ships."""
