"""Detectors behind ``forewarn.ports.detector``; their libraries are imported on first use."""
