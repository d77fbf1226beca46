"""Alarms after ISA-18.2: rules, their evaluation and the state machine of each (asset, rule)."""
