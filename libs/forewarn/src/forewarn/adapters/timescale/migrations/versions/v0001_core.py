"""Tables that do not depend on the catalogue, and the retention function."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run ``v0001_core.sql``."""
    run_sql_beside(__file__)
