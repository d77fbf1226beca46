"""Alembic's script directory: numbered steps, each a plain SQL file. There is no way back: restore a backup."""
