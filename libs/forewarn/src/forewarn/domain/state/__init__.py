"""State of machines: kept by class and partition, stored as bytes."""
