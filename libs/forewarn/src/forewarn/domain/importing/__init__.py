"""History from files: what columns and times mean, what is mended, what is left out."""
