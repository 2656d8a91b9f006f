"""The database of calls: SQLite on one machine, PostgreSQL for many, one schema for both.

Nothing else imports SQLAlchemy or alembic. What others use is `open_calls` and `StoredCalls`.
"""

from plugandtell.analytics.database.calls import StoredCalls, open_calls

__all__ = ["StoredCalls", "open_calls"]
