"""What exactness at scale needs: the ledger, the labels, the portal and the recalls.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op

from schema.steps import statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for sql in statements("0003"):
        connection.exec_driver_sql(sql)
