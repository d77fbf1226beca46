"""Forewarn: streaming digital twins and predictive maintenance."""
