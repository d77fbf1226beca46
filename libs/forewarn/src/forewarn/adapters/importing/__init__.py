"""Reads history from files and sends it through the platform."""
