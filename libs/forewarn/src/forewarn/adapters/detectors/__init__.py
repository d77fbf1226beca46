"""Detectors behind ``forewarn.ports.detector``; the libraries they need are imported on first use only."""
