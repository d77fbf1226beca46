"""Purging of removed assets."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0002_purge"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0002_purge.sql``."""
    run_sql_beside(__file__)
