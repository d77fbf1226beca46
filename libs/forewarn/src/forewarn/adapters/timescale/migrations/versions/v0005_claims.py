"""Claims know the topic they belong to and what became of those before them."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0005"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0005_claims.sql``."""
    run_sql_beside(__file__)
