"""The guard: accepts each reading, accepts it with warnings or refuses it, and says why."""
