"""What the platform does on request, whatever the transport."""
