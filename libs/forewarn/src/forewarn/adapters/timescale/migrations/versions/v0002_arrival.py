"""Transitions of alarms get their order of arrival."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0002_arrival.sql``."""
    run_sql_beside(__file__)
