"""What surrounds every request: its id, its limits, who may send it."""
