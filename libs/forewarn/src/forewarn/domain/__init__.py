"""Pure functions and frozen values over NumPy arrays: no I/O, clock, randomness or logging."""
