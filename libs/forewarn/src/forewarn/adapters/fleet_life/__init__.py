"""Fleet models of remaining useful life: histories and model files in, models and predictions out."""
