"""Bodies of requests and answers that are no contract of their own."""
