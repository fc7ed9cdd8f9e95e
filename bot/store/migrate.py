"""Brings a database to the newest schema; run at every start, and by `python -m bot migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SCRIPTS = Path(__file__).with_name("migrations")


def to_newest(connection: Connection) -> None:
    """Applies what is missing, in the transaction of `connection`: all of it or nothing.

    Raises:
        StoreUnavailable: the database is newer than this release, or would lose references.
    """
    if _revision(connection) == _newest():
        return
    _upgrade(connection)
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise StoreUnavailable(operator=f"The migration would break {len(broken)} references.")


def _revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _newest() -> str:
    return max(script.name.partition("_")[0] for script in _SCRIPTS.glob("versions/[0-9]*.py"))


def _upgrade(connection: Connection) -> None:
    # Ten megabytes and a quarter of a second, of which most starts need nothing.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            operator=f"The database was made by a newer release of Easel than this one: {error}"
        ) from error
