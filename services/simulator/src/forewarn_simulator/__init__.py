"""Simulates machines from physics, replays recordings, and generates benchmark load."""
