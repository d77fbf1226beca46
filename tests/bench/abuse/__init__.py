"""Hostile input against the whole running platform: what it costs, and whether everything goes on."""
