"""Retention by size beside retention by age."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0005_disk_budget.sql``."""
    run_sql_beside(__file__)
