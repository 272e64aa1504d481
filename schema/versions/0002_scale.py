"""Jobs, deliveries, subscriptions, capture points: what the first schema did not have.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

from schema.steps import install_jobs, statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for sql in (*install_jobs(), *statements("0002")):
        connection.exec_driver_sql(sql)
