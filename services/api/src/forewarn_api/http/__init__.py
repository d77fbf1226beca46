"""Middleware: request ids, limits, access."""
