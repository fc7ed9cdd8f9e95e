"""Brings a database to the newest schema; run at every start, and by `python -m bot migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection


def to_newest(connection: Connection) -> None:
    """Applies what is missing, in the transaction of `connection`: all of it or nothing.

    Raises:
        StoreUnavailable: the database is newer than this release, or would lose references.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            operator=f"The database was made by a newer release of Easel than this one: {error}"
        ) from error
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise StoreUnavailable(operator=f"The migration would break {len(broken)} references.")
