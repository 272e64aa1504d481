"""The database schema: alembic environment, versions, and the SQL they run."""
