"""Live state from the topics, and confirmed delivery to them, for the API."""
