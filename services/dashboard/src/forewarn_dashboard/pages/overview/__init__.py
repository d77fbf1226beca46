"""Overview of all assets."""
