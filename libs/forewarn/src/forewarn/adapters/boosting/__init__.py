"""Gradient boosting: grows the trees of the fleet model."""
