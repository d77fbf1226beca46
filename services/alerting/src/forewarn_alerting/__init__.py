"""Raises, acknowledges and clears alarms."""
