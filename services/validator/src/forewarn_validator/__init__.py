"""Validates raw readings against structure, limits and physics."""
