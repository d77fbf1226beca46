"""Claims get their topic and the outcome of earlier ones."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0003_claims.sql``."""
    run_sql_beside(__file__)
