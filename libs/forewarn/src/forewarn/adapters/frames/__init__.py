"""Frames on the wire: schema, codec, and the readers of sink, processors, event services and live view."""
