"""Anomaly models from files of healthy readings, and scores of files by them."""
