"""One module per page: ``regions`` says what can change, ``render`` draws the whole."""
