"""``python -m forewarn_local`` is the ``forewarn`` command."""

from forewarn_local.cli import app

app()
