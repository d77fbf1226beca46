"""Purging of removed assets."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0004_purge.sql``."""
    run_sql_beside(__file__)
