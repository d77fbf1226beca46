"""First-principles formulae: vectorised pure functions, referred to by name from the catalogue."""
