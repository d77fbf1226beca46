"""Columnar batches of readings and what processors do with their rows."""
