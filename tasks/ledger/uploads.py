"""Pictures that a provider keeps already: each is uploaded once, however many orders send it along."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from tasks.ledger.database import Database, insert_new
from tasks.ledger.schema import uploads


class Uploads:
    """The uploaded files of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, provider: str) -> Mapping[str, str]:
        """Read a provider's names for files, by the SHA-256 of their bytes."""
        query = sa.select(uploads.c.sha256, uploads.c.file_id).where(uploads.c.provider == provider)
        with self._database.read() as connection:
            return {row.sha256: row.file_id for row in connection.execute(query)}

    def record(self, provider: str, sha256: str, file_id: str, now: datetime) -> None:
        """Write down a file's name at a provider; a newer upload of the same bytes takes its place."""
        is_it = (uploads.c.provider == provider) & (uploads.c.sha256 == sha256)
        facts = {"file_id": file_id, "uploaded_at": now}
        with self._database.write() as connection:
            if connection.execute(uploads.update().where(is_it).values(facts)).rowcount == 0:
                new = {"provider": provider, "sha256": sha256, **facts}
                connection.execute(insert_new(connection, uploads).values(new))
