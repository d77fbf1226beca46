"""What the platform does on request, whatever transport the request comes by."""
