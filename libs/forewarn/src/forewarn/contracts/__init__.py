"""What crosses a service boundary: events, frames, topics and the asset catalogue's file format."""
