"""Routes by resource; each is glue between a body, a port and an answer."""
