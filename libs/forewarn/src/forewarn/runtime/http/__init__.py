"""The HTTP server that API and dashboard share: uvicorn with limits on what clients can make it hold."""
