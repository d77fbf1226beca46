"""Everything generated under ``schemas/``, and the rule by which it may change."""
