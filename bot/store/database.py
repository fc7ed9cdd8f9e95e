"""One writer, one reader, and transactions that neither leak nor break off."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import aiosqlite
from sqlalchemy import StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from bot.errors import StoreUnavailable
from bot.store import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from sqlalchemy import Connection, Engine

P = ParamSpec("P")
T = TypeVar("T")

_BUSY_TIMEOUT_S = 5
#: Transactions that share one sync to the disk.
_BATCH = 64


class Database:
    """The only door to SQL: `read` and `write` run a function in one transaction.

    Such a function is plain and synchronous, and runs on the thread of its connection: it can
    await nothing, so no other task comes between its statements, and a caller that is
    cancelled leaves nothing half done.
    """

    def __init__(self, writer: _Session, reader: _Session) -> None:
        self._writer = writer
        self._reader = reader
        self._queue: list[_Queued] = []
        self._flushing: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator[Database]:
        """The database at `url`, brought up to the newest schema.

        Raises:
            StoreUnavailable: its folder cannot be made, or it is not a usable database.
        """
        async with AsyncExitStack() as sessions:
            try:
                database = cls(*await _open(Path(make_url(url).database or ""), sessions))
            except (DatabaseError, sqlite3.Error, OSError) as error:
                raise _told(error) from error
            try:
                yield database
            finally:
                await database.drain()

    async def drain(self) -> None:
        """Waits for the transactions under way."""
        if self._flushing is not None:
            await asyncio.wait({self._flushing})

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs `work` on one snapshot of the database, and waits for no writer.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        try:
            return await self._reader.transact(partial(_call, work, args, kwargs))
        except DatabaseError as error:
            raise _told(error) from error

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs `work` in one transaction, which is on the disk when this returns.

        What is asked for while the disk syncs shares the next sync; each keeps a savepoint of
        its own, so that one that fails undoes nothing but itself.

        Raises:
            StoreUnavailable: disk full, read-only, or locked by another process.
        """
        queued = _Queued(
            partial(_call, work, args, kwargs), asyncio.get_running_loop().create_future()
        )
        self._queue.append(queued)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await queued.done

    async def _flush(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[:_BATCH], self._queue[_BATCH:]
            try:
                outcomes = await self._writer.transact(partial(_each, [q.work for q in batch]))
            except Exception as error:  # noqa: BLE001 - a loop's edge: it is its callers'
                outcomes = [_Failed(_told(error)) for _ in batch]
            for queued, outcome in zip(batch, outcomes, strict=True):
                queued.settle(outcome)
        self._flushing = None


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


@dataclass(frozen=True, slots=True)
class _Queued:
    work: Callable[[Connection], Any]
    done: asyncio.Future[Any]

    def settle(self, outcome: Any) -> None:  # noqa: ANN401 - whatever the work returned
        if self.done.cancelled():
            return
        if isinstance(outcome, _Failed):
            self.done.set_exception(outcome.error)
        else:
            self.done.set_result(outcome)


class _Session(aiosqlite.Connection):
    """A connection on a thread of its own, where a whole transaction is one function call.

    Statement by statement, each would cross between the threads three times over.
    """

    def __init__(self, file: Path, pragma: str, *, begin: str) -> None:
        super().__init__(partial(_connect, file, pragma), iter_chunk_size=64)
        # The engine brings SQLAlchemy's statements to the connection that this thread owns.
        # Parameters hold live interaction tokens, which no error may carry into a log.
        self._engine = create_engine(
            "sqlite://", creator=lambda: self._conn, poolclass=StaticPool, hide_parameters=True
        )
        _begin_with(self._engine, begin)

    async def transact(self, work: Callable[[Connection], T]) -> T:
        return await self._execute(self._transact, work)  # pyright: ignore[reportUnknownMemberType] - untyped there

    async def ended(self) -> None:
        """Waits for the thread, which aiosqlite leaves to itself where a file cannot be opened."""
        await asyncio.to_thread(self._thread.join)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)


async def _open(file: Path, sessions: AsyncExitStack) -> tuple[_Session, _Session]:
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    # A table is altered by making it anew, which foreign keys must not notice, and they cannot
    # be switched off inside a transaction (https://www.sqlite.org/lang_altertable.html#otheralter).
    async with _session(file, "foreign_keys = OFF", begin="BEGIN IMMEDIATE") as migrating:
        await migrating.transact(migrate.to_newest)
    # A transaction that begins by reading and then writes fails with SQLITE_BUSY_SNAPSHOT
    # whatever its time-out, so writers begin IMMEDIATE
    # (https://www.sqlite.org/isolation.html).
    writer = _session(file, "foreign_keys = ON", begin="BEGIN IMMEDIATE")
    reader = _session(file, "query_only = ON", begin="BEGIN")
    return (
        await sessions.enter_async_context(writer),
        await sessions.enter_async_context(reader),
    )


@asynccontextmanager
async def _session(file: Path, pragma: str, *, begin: str) -> AsyncGenerator[_Session]:
    session = _Session(file, pragma, begin=begin)
    try:
        async with session:
            yield session
    finally:
        await session.ended()


def _connect(file: Path, pragma: str) -> sqlite3.Connection:
    # None: the driver begins no transactions of its own; the engine does.
    connection = sqlite3.connect(file, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
    # FULL: in WAL mode, NORMAL may lose the last commits when the power goes.
    for each in ("journal_mode = WAL", "synchronous = FULL", pragma):
        connection.execute(f"PRAGMA {each}")
    return connection


def _begin_with(engine: Engine, statement: str) -> None:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    event.listen(engine, "begin", begin)


def _each(works: Sequence[Callable[[Connection], Any]], connection: Connection) -> list[Any]:
    driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    return [_one(work, connection, driver) for work in works]


def _one(
    work: Callable[[Connection], Any], connection: Connection, driver: sqlite3.Connection
) -> Any:  # noqa: ANN401 - as above
    """Runs it in a savepoint.

    After some errors SQLite has rolled back the whole transaction, and only its own flag tells
    (https://www.sqlite.org/lang_transaction.html). The rest of a batch would then run outside
    of any transaction, so such an error ends them all.
    """
    driver.execute("SAVEPOINT one")
    try:
        outcome = work(connection)
    except Exception as error:  # an edge: it is its caller's
        if not driver.in_transaction:
            raise
        driver.execute("ROLLBACK TO one")
        outcome = _Failed(_told(error))
    driver.execute("RELEASE one")
    return outcome


def _call(
    work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], connection: Connection
) -> T:
    return work(connection, *args, **kwargs)


def _told(error: Exception) -> Exception:
    """`error`, or StoreUnavailable where the database cannot do its work just now."""
    cause = error.orig if isinstance(error, DatabaseError) else error
    # Of these, DatabaseError itself says that the file is corrupt; its other children are
    # mistakes of the statement (https://peps.python.org/pep-0249/#exceptions).
    unusable = isinstance(cause, OSError | sqlite3.OperationalError)
    if unusable or type(cause) is sqlite3.DatabaseError:
        return StoreUnavailable(operator=f"The database says: {cause}")
    return error
