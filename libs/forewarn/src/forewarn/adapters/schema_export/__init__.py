"""Everything under ``schemas/`` that is generated, and the rule by which it may change."""
