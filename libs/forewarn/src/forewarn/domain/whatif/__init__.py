"""What-if questions to a twin, and their effect on health and remaining life."""
