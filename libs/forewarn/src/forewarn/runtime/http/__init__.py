"""The HTTP server that the API and the dashboard share: uvicorn with limits on all that a client can make it hold."""
