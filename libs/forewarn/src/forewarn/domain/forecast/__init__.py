"""Forecasts of single columns: preparation, back-test, choice, calibrated spread, limit crossings."""
