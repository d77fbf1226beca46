"""Claims know the topic they belong to and what became of those before them."""

from forewarn.adapters.timescale.migrations.script import run_sql_beside

<<<<<<<< HEAD:libs/forewarn/src/forewarn/adapters/timescale/migrations/versions/v0003_claims.py
revision = "0003"
down_revision = "0002"
========
revision = "0005"
down_revision = "0001"
>>>>>>>> i10-storage:libs/forewarn/src/forewarn/adapters/timescale/migrations/versions/v0005_claims.py
branch_labels = None
depends_on = None


def upgrade() -> None:
<<<<<<<< HEAD:libs/forewarn/src/forewarn/adapters/timescale/migrations/versions/v0003_claims.py
    """Run ``v0003_claims.sql``."""
========
    """Run ``v0005_claims.sql``."""
>>>>>>>> i10-storage:libs/forewarn/src/forewarn/adapters/timescale/migrations/versions/v0005_claims.py
    run_sql_beside(__file__)
