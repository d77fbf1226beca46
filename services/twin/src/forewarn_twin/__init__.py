"""Compares each machine with its learned normal behaviour."""
