"""State by class and partition, stored as bytes."""
