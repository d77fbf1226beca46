"""Protocols between the domain and the outside world, with the small values they pass."""
