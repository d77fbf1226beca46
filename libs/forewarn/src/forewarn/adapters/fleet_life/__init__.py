"""Fleet models of remaining useful life and files: histories in, models and predictions out."""
