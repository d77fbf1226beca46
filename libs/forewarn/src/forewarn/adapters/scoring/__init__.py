"""Anomaly models learned from files of healthy readings, and the scores they give."""
