"""The gateway: sessions that are identified, beat, are dropped, and resume."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from wire.faults import reset
from wire.privacy import MESSAGE_CONTENT
from wire.pulse import Pulse

if TYPE_CHECKING:
    from wire.world import World

#: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
NOT_AUTHENTICATED, WRONG_TOKEN, NOT_GRANTED, GONE_AWAY = 4003, 4004, 4014, 1001


class Op(IntEnum):
    """https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway"""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    ACK = 11


_BEAT_EVERY_MS = 41_250
#: discord.py notes when it sent a heartbeat only after it has; no network answers faster.
_ACK_AFTER_S = 0.05
_RESUMABLE_S = 180.0
_REMEMBERED = 2_000
_DAY_MS = 86_400_000


class Connection:
    """A websocket, with the compression that the client asked for."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request, self._socket = request, socket
        wants = request.query.get("compress")
        self._packer = zlib.compressobj(level=1) if wants == "zlib-stream" else None

    async def send(self, text: str) -> None:
        if self._packer is None:
            await self._socket.send_str(text)
            return
        packed = self._packer.compress(text.encode()) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        await self._socket.send_bytes(packed)

    async def say(self, op: int, content: object = None) -> None:
        await self.send(json.dumps({"op": op, "d": content}))

    async def close(self, code: int) -> None:
        await self._socket.close(code=code)

    def cut(self) -> None:
        reset(self._request)


@dataclass(eq=False, slots=True)
class Session:
    """What one IDENTIFY began; it outlives its connection for a while.

    Attributes:
        sent: the newest events, for a RESUME.
        ready: whether it was told of all servers.
    """

    id: str
    shard: tuple[int, int]
    intents: int
    connection: Connection | None
    seq: int = 0
    ready: bool = False
    lost_at: float | None = None
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    async def dispatch(self, event: str, content: str) -> None:
        self.seq += 1
        text = f'{{"op":0,"t":"{event}","s":{self.seq},"d":{content}}}'
        self.sent.append((self.seq, text))
        if self.connection is not None:
            try:
                await self.connection.send(text)
            except ConnectionError:  # it is replayed after a RESUME
                self.connection = None

    def remembers(self, seq: int) -> bool:
        """Whether everything after `seq` can be told again."""
        return seq <= self.seq and (not self.sent or self.sent[0][0] <= seq + 1)

    async def replay(self, connection: Connection, seq: int) -> None:
        """Everything after `seq`; what happens meanwhile comes in its turn."""
        while missed := [entry for entry in self.sent if entry[0] > seq]:
            for _, text in missed:
                await connection.send(text)
            seq = missed[-1][0]
        self.connection, self.lost_at = connection, None


class Gateway:
    """All sessions.

    Attributes:
        identifies, resumes: how often each was accepted.
        identifies_a_day: how many are; they are only told of, and all of them are accepted.
        shards: how many it recommends.
        heartbeats_acknowledged: False makes every connection a zombie.
        twice: how many of the next interactions are delivered a second time.
    """

    def __init__(self, world: World, token: str) -> None:
        self.identifies = self.resumes = self.twice = 0
        self.identifies_a_day, self.shards = 1_000, 1
        self.heartbeats_acknowledged = True
        self.url = ""
        self.pulse = Pulse()
        self._world, self._token = world, token
        self._sessions: dict[str, Session] = {}

    @property
    def ready(self) -> int:
        """How many sessions are connected and know all servers."""
        return sum(1 for s in self._sessions.values() if s.ready and s.connection is not None)

    def start_limit(self) -> dict[str, int]:
        return {
            "total": self.identifies_a_day,
            "remaining": max(0, self.identifies_a_day - self.identifies),
            "reset_after": _DAY_MS,
            "max_concurrency": 1,
        }

    def listens(self, intent: int) -> bool:
        return any(session.intents & intent for session in self._sessions.values())

    async def dispatch(
        self, event: str, content: str, *, guild_id: int | None, intent: int = 0
    ) -> float:
        """An event for the shard of a server; direct messages are shard 0's.

        Returns when it was written, in monotonic seconds.
        """
        written = time.monotonic()
        for session in list(self._sessions.values()):
            number, count = session.shard
            theirs = ((guild_id or 0) >> 22) % count == number
            if session.ready and theirs and session.intents & intent == intent:
                await session.dispatch(event, content)
                heard = session.connection is not None and event == "INTERACTION_CREATE"
                if self.twice and heard:
                    self.twice -= 1
                    await session.dispatch(event, content)
        return written

    def drop(self, *, forget: bool = False) -> int:
        """Cuts every connection; with `forget`, no session can be resumed either.

        Returns how many were cut.
        """
        connected = [s for s in self._sessions.values() if s.connection is not None]
        for session in connected:
            if session.connection is not None:
                session.connection.cut()
            self._lost(session, session.connection)
        if forget:
            self._sessions.clear()
        return len(connected)

    async def ask_to_reconnect(self) -> None:
        """As before each of Discord's own restarts."""
        for session in list(self._sessions.values()):
            if session.connection is not None:
                await session.connection.say(Op.RECONNECT)

    async def invalidate(self) -> None:
        """Ends every session from the server's side; the client identifies anew."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            if session.connection is not None:
                await session.connection.say(Op.INVALID_SESSION, content=False)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, timeout=1.0)
        await socket.prepare(request)
        connection = Connection(request, socket)
        await connection.say(Op.HELLO, {"heartbeat_interval": _BEAT_EVERY_MS})
        session: Session | None = None
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                session = await self._hear(connection, session, json.loads(message.data))
        except ConnectionError:
            pass
        if session is not None:
            self._lost(session, connection)
            if socket.close_code in (1000, GONE_AWAY):
                self._sessions.pop(session.id, None)
        return socket

    async def _hear(
        self, connection: Connection, session: Session | None, said: dict[str, Any]
    ) -> Session | None:
        match said["op"]:
            case Op.IDENTIFY:
                return await self._identify(connection, said["d"])
            case Op.RESUME:
                return await self._resume(connection, said["d"])
            case Op.HEARTBEAT:
                if self.heartbeats_acknowledged:
                    await asyncio.sleep(_ACK_AFTER_S)
                    await connection.say(Op.ACK)
            case _:
                if session is None:
                    await connection.close(NOT_AUTHENTICATED)
        return session

    async def _identify(self, connection: Connection, said: dict[str, Any]) -> Session | None:
        if said["token"] != self._token:
            await connection.close(WRONG_TOKEN)
            return None
        if said["intents"] & MESSAGE_CONTENT and not self._world.content_granted:
            await connection.close(NOT_GRANTED)
            return None
        self.identifies += 1
        self._forget_the_lost()
        number, count = said.get("shard", (0, 1))
        session = Session(secrets.token_hex(16), (number, count), said["intents"], connection)
        self._sessions[session.id] = session
        guilds = [
            guild
            for guild in self._world.guilds.values()
            if guild.joined and (guild.id >> 22) % count == number
        ]
        ready = {
            "v": 10,
            "user": self._world.bot.wire(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": [number, count],
            "application": {"id": str(self._world.application_id), "flags": 0},
        }
        await session.dispatch("READY", json.dumps(ready))
        for guild in guilds:
            await session.dispatch("GUILD_CREATE", json.dumps(guild.wire(self._world.bot)))
        session.ready = True
        self.pulse.beat()
        return session

    async def _resume(self, connection: Connection, said: dict[str, Any]) -> Session | None:
        session = self._sessions.get(said["session_id"])
        known = session is not None and session.remembers(said["seq"])
        if session is None or not known or said["token"] != self._token:
            await connection.say(Op.INVALID_SESSION, content=False)
            return None
        self.resumes += 1
        await session.replay(connection, said["seq"])
        await session.dispatch("RESUMED", "{}")
        self.pulse.beat()
        return session

    def _lost(self, session: Session, connection: Connection | None) -> None:
        if session.connection is connection:
            session.connection, session.lost_at = None, time.monotonic()
            self.pulse.beat()

    def _forget_the_lost(self) -> None:
        long_ago = time.monotonic() - _RESUMABLE_S
        for session in list(self._sessions.values()):
            if session.lost_at is not None and session.lost_at < long_ago:
                del self._sessions[session.id]
