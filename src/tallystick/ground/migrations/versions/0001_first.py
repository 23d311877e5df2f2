"""The first schema: all tables, the triggers that refuse wrong money, and the job queue's own tables."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection

from tallystick.ground.tables import Base

revision = "0001"
down_revision = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    connection = op.get_bind()
    Base.metadata.create_all(connection)
    for name in ("partitions", "money", "credits", "credit_notes", "payments", "wallets", "notices", "rollups"):
        _run_script(connection, (SQL / f"{name}.sql").read_text())
    _run_script(connection, SchemaManager.get_schema())


def _run_script(connection: Connection, script: str) -> None:
    # many statements at once, "%" and ":" untouched: only the driver's own cursor takes that
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor:
        cursor.execute(script)
