"""Judges health and remaining useful life."""
