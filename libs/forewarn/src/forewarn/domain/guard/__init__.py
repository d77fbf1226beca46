"""The guard: decides for each reading whether it is accepted, accepted with warnings or refused, and why."""
