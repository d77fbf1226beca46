"""One asset in detail, what if, retraining and removal."""
