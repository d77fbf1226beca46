"""What the migration steps share."""

from pathlib import Path

from alembic import op


def run_sql_beside(step: str) -> None:
    """Run the SQL file of the same name as the step, on Alembic's connection and in its transaction."""
    sql = Path(step).with_suffix(".sql").read_bytes()
    cursor = op.get_bind().connection.cursor()
    cursor.execute(sql)  # without parameters, so that one call may hold several statements
    cursor.close()
