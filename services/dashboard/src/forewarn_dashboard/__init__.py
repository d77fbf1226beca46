"""Plant dashboard."""
