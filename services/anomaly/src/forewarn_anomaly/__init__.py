"""Scores twin residuals online."""
