"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

from schema.steps import statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for sql in statements("0001"):
        op.get_bind().exec_driver_sql(sql)
