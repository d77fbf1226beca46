"""Machines simulated from first principles, with faults that grow."""
