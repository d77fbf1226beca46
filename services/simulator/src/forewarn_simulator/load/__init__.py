"""Load generator for benchmarks: many healthy pumps at a given rate, counted exactly."""
