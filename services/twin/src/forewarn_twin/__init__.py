"""Compares machines with their learned normal behaviour."""
