"""Forecasting methods from libraries."""
