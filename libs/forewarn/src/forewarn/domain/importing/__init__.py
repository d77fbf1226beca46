"""History from files: meaning of columns and times, repairs, omissions."""
