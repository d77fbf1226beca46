"""Open and closed alarms, and their acknowledgement."""
