"""Published data sets, their protocols, and what Forewarn reaches on them."""
