"""Routes by resource: they translate between HTTP and use cases or ports."""
