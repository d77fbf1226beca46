"""Anomaly scores: how unlikely the smoothed residuals of a machine are, measured by its own healthy past."""
