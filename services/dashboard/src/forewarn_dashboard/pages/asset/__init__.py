"""An asset in detail, with what-if, retraining and removal."""
