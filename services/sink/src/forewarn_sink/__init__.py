"""Writes frames and events exactly once into TimescaleDB or PostgreSQL."""
