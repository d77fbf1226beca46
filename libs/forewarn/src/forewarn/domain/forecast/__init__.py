"""Forecasts of single columns: preparation, back-test, choice, calibrated spread, crossing of a limit."""
