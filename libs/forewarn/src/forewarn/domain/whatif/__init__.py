"""What-if questions to a twin, and what the answer means for health and remaining life."""
