"""The Discord that the wire tests trust refuses, remembers and limits as the real one does."""

from __future__ import annotations

import json
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from wire.bodies import split
from wire.interactions import ANSWER_WITHIN_S, TOKEN_LIFE_S
from wire.launch import control, discord_process
from wire.posting import NONCE_LIFE_S
from wire.server import Server
from wire.world import BOT_MAY, MIB, Can, Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from wire.asked import Asked

SAY, THINK = 4, 5
IMAGINE = [{"name": "imagine", "type": 1, "description": "x", "options": []}]


class Api:
    """A bot that knows nothing but addresses."""

    def __init__(self, discord: Server, session: aiohttp.ClientSession) -> None:
        self.discord, self._session = discord, session
        self.guild = discord.world.guild()
        self.channel = discord.world.channel(self.guild)
        self.ann = discord.world.person("ann")
        discord.world.commands = [command | {"id": "1"} for command in IMAGINE]

    async def call(
        self, method: str, path: str, content: object = None, *, files: list[bytes] | None = None
    ) -> tuple[int, Any]:
        """(status, JSON)."""
        headers = {"Authorization": f"Bot {self.discord.token}"}
        sent: dict[str, Any] = {"json": content} if content is not None else {}
        if files is not None:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(content))
            for number, data in enumerate(files):
                form.add_field(f"files[{number}]", BytesIO(data), filename=f"{number}.png")
            sent = {"data": form}
        url = f"{self.discord.url}/api/v10{path}"
        async with self._session.request(method, url, headers=headers, **sent) as response:
            self.headers = response.headers
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def post(self, content: object, channel: Channel | None = None, **more: Any) -> Any:
        path = f"/channels/{(channel or self.channel).id}/messages"
        return await self.call("POST", path, content, **more)

    async def ask(self) -> tuple[Asked, str, str]:
        """(what was asked, where to call back, its webhook)."""
        asked = await self.discord.people.slash(self.channel, self.ann, "imagine")
        made = asked.interaction
        hook = f"/webhooks/{self.discord.world.application_id}/{made.token}"
        return asked, f"/interactions/{made.id}/{made.token}/callback", hook


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with Server(keep_bytes=True) as discord, aiohttp.ClientSession() as session:
        yield Api(discord, session)


def code(answer: tuple[int, Any]) -> tuple[int, int]:
    return answer[0], answer[1]["code"]


def button(custom_id: str, **more: object) -> dict[str, object]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": custom_id, **more}


def rows(*ids: list[str]) -> dict[str, object]:
    return {
        "content": "x",
        "components": [{"type": 1, "components": [button(i) for i in row]} for row in ids],
    }


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ({"content": "x" * 2001}, (400, 50035)),
        ({"content": ""}, (400, 50006)),
        ({"content": "x", "nonce": "n" * 26}, (400, 50035)),
        (rows(["a", "a"]), (400, 50035)),
        (rows(["a"], ["a"]), (400, 50035)),
        (rows(*[[f"{n}"] for n in range(6)]), (400, 50035)),
        (rows([f"{n}" for n in range(6)]), (400, 50035)),
        (rows(["i" * 101]), (400, 50035)),
        ({"content": "x", "embeds": [{"description": "d" * 4000}] * 2}, (400, 50035)),
        ({"content": "x", "message_reference": {"message_id": "1"}}, (400, 50035)),
        ({"content": "x", "flags": 1 << 15, "components": [button("a")]}, (400, 50035)),
    ],
    ids=range(11),
)
async def test_what_is_no_message_is_refused(api: Api, content: Any, refusal: Any) -> None:
    assert code(await api.post(content)) == refusal
    assert api.channel.shown == []


async def test_files_have_their_limits_and_their_words(api: Api) -> None:
    assert code(await api.post({}, files=[b"x"] * 11)) == (400, 50035)
    assert code(await api.post({}, files=[b"x" * (10 * MIB + 1)])) == (413, 40005)
    api.guild.file_max = 100 * MIB
    assert code(await api.post({}, files=[b"x" * 9 * MIB] * 3)) == (413, 40005)
    told = {"attachments": [{"id": 1, "filename": "b.png", "description": "the second"}]}
    status, message = await api.post(told, files=[b"one", b"\r\n--two--\r\n"])
    assert status == 200
    first, second = message["attachments"]
    assert (first["filename"], second["filename"]) == ("0.png", "b.png")
    assert (second["description"], second["size"]) == ("the second", 11)
    async with aiohttp.ClientSession() as session, session.get(second["url"]) as response:
        assert await response.read() == b"\r\n--two--\r\n"


async def test_a_body_is_split_as_aiohttp_writes_it() -> None:
    form = aiohttp.FormData(quote_fields=False)
    parts = {"payload_json": b"{}", "files[0]": bytes(range(256)) * 40, "files[1]": b""}
    for name, data in parts.items():
        form.add_field(name, BytesIO(data), filename="a b.png")
    payload = form()
    raw = await payload.as_bytes()
    assert isinstance(payload, aiohttp.MultipartWriter)
    found = {name: bytes(data) for name, _, data in split(raw, payload.boundary)}
    assert found == parts


async def test_a_nonce_is_one_message_for_minutes(api: Api) -> None:
    once = {"content": "x", "nonce": "n", "enforce_nonce": True}
    _, first = await api.post(once)
    assert (await api.post(once))[1]["id"] == first["id"]
    assert (await api.post(once | {"nonce": "m"}))[1]["id"] != first["id"]
    api.discord.world.clock.forward(NONCE_LIFE_S + 1)
    _, later = await api.post(once)
    assert later["id"] != first["id"]
    await api.call("DELETE", f"/channels/{api.channel.id}/messages/{later['id']}")
    assert code(await api.post(once)) == (404, 10008)


async def test_a_channel_bears_five_messages_in_five_seconds(api: Api) -> None:
    statuses = [(await api.post({"content": "x"}))[0] for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert api.headers["Via"]
    assert api.headers["X-RateLimit-Remaining"] == "0"
    assert 4 < float(api.headers["Retry-After"]) <= 5
    other = api.discord.world.channel(api.guild)
    assert (await api.post({"content": "x"}, other))[0] == 200
    _, callback, _ = await api.ask()
    assert (await api.call("POST", callback, {"type": THINK}))[0] == 204


async def test_all_requests_of_a_bot_have_a_limit_and_interactions_have_none(api: Api) -> None:
    api.discord.world.overall_limit.requests = 2
    statuses = [(await api.call("GET", "/users/@me"))[0] for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert api.headers["X-RateLimit-Global"] == "true"
    _, callback, _ = await api.ask()
    assert (await api.call("POST", callback, {"type": THINK}))[0] == 204


async def test_rights_are_asked_for(api: Api) -> None:
    api.channel.bot_may = BOT_MAY & ~Can.ATTACH_FILES
    assert (await api.post({"content": "x"}))[0] == 200
    assert code(await api.post({"content": "x"}, files=[b"x"])) == (403, 50013)
    api.channel.bot_may = BOT_MAY & ~Can.VIEW_CHANNEL
    assert code(await api.post({"content": "x"})) == (403, 50001)
    assert code(await api.call("GET", "/channels/1")) == (404, 10003)
    said = await api.discord.people.say(api.channel, api.ann, "mine")
    api.channel.bot_may = BOT_MAY
    path = f"/channels/{api.channel.id}/messages/{said.id}"
    assert code(await api.call("DELETE", path)) == (403, 50013)
    assert code(await api.call("PATCH", path, {"content": "yours"})) == (403, 50005)


async def test_an_interaction_is_answered_once_and_in_time(api: Api) -> None:
    asked, callback, hook = await api.ask()
    assert code(await api.call("PATCH", f"{hook}/messages/@original", {})) == (404, 10015)
    assert code(await api.call("POST", callback, {"type": 6})) == (400, 50035)
    status, told = await api.call("POST", f"{callback}?with_response=1", {"type": THINK})
    assert status == 200
    assert told["interaction"]["response_message_loading"]
    assert 0 < await asked.acknowledged() < 1
    assert code(await api.call("POST", callback, {"type": THINK})) == (400, 40060)
    _, late, _ = await api.ask()
    api.discord.world.clock.forward(ANSWER_WITHIN_S + 0.1)
    assert code(await api.call("POST", late, {"type": THINK})) == (404, 10062)


async def test_a_webhook_lives_for_a_quarter_of_an_hour(api: Api) -> None:
    _, callback, hook = await api.ask()
    await api.call("POST", callback, {"type": THINK})
    original = f"{hook}/messages/%40original"
    assert (await api.call("GET", original))[1]["flags"] == 1 << 7
    assert (await api.call("PATCH", original, {"content": "x"}))[1]["flags"] == 0
    elsewhere = hook.replace(str(api.discord.world.application_id), "1")
    assert code(await api.call("POST", elsewhere, {"content": "x"})) == (404, 10015)
    assert code(await api.call("POST", f"{hook}x", {"content": "x"})) == (401, 50027)
    assert (await api.call("DELETE", original))[0] == 204
    assert code(await api.call("DELETE", original)) == (404, 10008)
    api.discord.world.clock.forward(TOKEN_LIFE_S)
    assert code(await api.call("POST", hook, {"content": "x"})) == (401, 50027)


async def test_the_first_followup_takes_the_place_of_thinking(api: Api) -> None:
    asked, callback, hook = await api.ask()
    await api.call("POST", callback, {"type": THINK})
    _, first = await api.call("POST", hook, {"content": "secret", "flags": 1 << 6})
    assert first["id"] == str(asked.interaction.original.id)
    assert first["flags"] == 0, "it is as public as thinking was"
    _, second = await api.call("POST", hook, {"content": "secret", "flags": 1 << 6})
    assert (second["flags"], len(asked.said)) == (1 << 6, 2)


async def test_an_edit_keeps_the_files_that_it_names(api: Api) -> None:
    asked, callback, hook = await api.ask()
    await api.call("POST", callback, {"type": SAY, "data": {}}, files=[b"one", b"two"])
    one = asked.interaction.original.files[0]
    keep = {"attachments": [{"id": str(one.id)}, {"id": "0", "filename": "new.png"}]}
    await api.call("PATCH", f"{hook}/messages/@original", keep, files=[b"three"])
    assert [file.name for file in asked.interaction.original.files] == ["0.png", "new.png"]
    await api.call("PATCH", f"{hook}/messages/@original", {"content": "x"})
    assert len(asked.interaction.original.files) == 2


async def test_another_process_can_order_faults(api: Api) -> None:
    url = f"{api.discord.url}/control/faults"
    order = {"kind": "status", "method": "GET", "path": "/users/*", "status": 500, "times": 2}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json=order) as response:
            assert response.status == 201
        async with session.post(url, json={"kind": "strange"}) as response:
            assert response.status == 400
    assert (await api.call("GET", "/channels/1"))[0] == 404
    url = f"{api.discord.url}/api/v10/users/@me"
    async with aiohttp.ClientSession() as session:
        statuses = [(await session.get(url)).status for _ in range(3)]
    assert statuses == [500, 500, 401]
    assert api.discord.stats()["invalid"] == 1


class Shard:
    """A client of the gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._unpacker = socket, zlib.decompressobj()

    async def say(self, op: int, **content: object) -> None:
        await self._socket.send_json({"op": op, "d": content})

    async def hear(self) -> dict[str, Any]:
        message = await self._socket.receive(timeout=3)
        if message.type is aiohttp.WSMsgType.BINARY:
            return json.loads(self._unpacker.decompress(message.data))
        assert message.type is aiohttp.WSMsgType.TEXT, f"closed with {self._socket.close_code}"
        return json.loads(message.data)

    async def identify(self, token: str, intents: int = 1) -> list[dict[str, Any]]:
        """HELLO, READY, and one server."""
        hello = await self.hear()
        await self.say(2, token=token, intents=intents, properties={})
        return [hello, await self.hear(), await self.hear()]


async def test_a_session_is_resumed_with_what_it_missed(api: Api) -> None:
    discord = api.discord
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{discord.gateway.url}?compress=zlib-stream")
        shard = Shard(socket)
        _, ready, guild = await shard.identify(discord.token)
        assert (ready["t"], guild["t"], guild["s"]) == ("READY", "GUILD_CREATE", 2)
        assert guild["d"]["channels"][0]["id"] == str(api.channel.id)
        discord.gateway.drop()
        asked, _, _ = await api.ask()
        again = Shard(await session.ws_connect(discord.gateway.url))
        await again.hear()
        number = ready["d"]["session_id"]
        await again.say(6, token=discord.token, session_id=number, seq=2)
        missed, resumed = await again.hear(), await again.hear()
        assert (missed["t"], missed["s"]) == ("INTERACTION_CREATE", 3)
        assert missed["d"]["token"] == asked.interaction.token
        assert resumed["t"] == "RESUMED"
        discord.gateway.drop(forget=True)
        lost = Shard(await session.ws_connect(discord.gateway.url))
        await lost.hear()
        await lost.say(6, token=discord.token, session_id=number, seq=4)
        assert await lost.hear() == {"op": 9, "d": False}
    assert (discord.gateway.identifies, discord.gateway.resumes) == (1, 1)


async def test_a_wrong_token_is_told_so(api: Api) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(api.discord.gateway.url)
        await socket.receive()
        await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 1}})
        await socket.receive()
        assert socket.close_code == 4004
    assert api.discord.gateway.identifies == 0


async def test_what_people_write_is_read_only_where_it_pings(api: Api) -> None:
    discord, guild_messages = api.discord, 1 << 9
    _, told = await api.post({"content": "a picture"}, files=[b"x"])
    picture = api.channel.messages[int(told["id"])]
    async with aiohttp.ClientSession() as session:
        shard = Shard(await session.ws_connect(discord.gateway.url))
        await shard.identify(discord.token, 1 | guild_messages)
        await discord.people.say(api.channel, api.ann, "just talking")
        assert (await shard.hear())["d"]["content"] == ""
        await discord.people.reply(picture, api.ann, "make it blue", ping=False)
        assert (await shard.hear())["d"]["content"] == ""
        await discord.people.reply(picture, api.ann, "make it blue")
        heard = (await shard.hear())["d"]
    assert heard["content"] == "make it blue"
    assert len(heard["referenced_message"]["attachments"]) == 1
    assert heard["member"]["flags"] == 0


async def test_what_people_write_is_hidden_wherever_it_is_told(api: Api) -> None:
    discord, bot = api.discord, api.discord.world.bot
    cat = await discord.people.say(
        api.channel, api.ann, "look", files=[discord.people.file("a.png", b"x")]
    )
    asked, callback, _ = await api.ask()
    await api.call("POST", callback, {"type": 4, "data": {"content": "done"}})
    async with aiohttp.ClientSession() as session:
        shard = Shard(await session.ws_connect(discord.gateway.url))
        await shard.identify(discord.token, 1 | 1 << 9)
        await discord.people.reply(cat, api.ann, f"{bot.mention} a hat")
        heard = (await shard.hear())["d"]
        assert heard["content"] == f"{bot.mention} a hat"
        assert heard["referenced_message"]["attachments"] == []
        assert heard["referenced_message"]["content"] == ""
        answered = await discord.people.reply(asked.interaction.original, api.ann, "make it blue")
        heard = (await shard.hear())["d"]
        assert (heard["content"], heard["mentions"]) == ("", []), "no ping of answers to commands"
        await discord.people.repeat(answered)
        assert (await shard.hear())["d"] == heard
    path = f"/channels/{api.channel.id}/messages/{cat.id}"
    for granted, files in ((False, 0), (True, 1)):
        discord.world.content_granted = granted
        _, told = await api.call("GET", path)
        assert len(told["attachments"]) == files


async def test_what_is_forwarded_goes_along_as_it_was(api: Api) -> None:
    people = api.discord.people
    cat = await people.say(api.channel, api.ann, "look", files=[people.file("a.png", b"x")])
    elsewhere = api.discord.world.direct(api.ann)
    for channel, hidden in ((api.channel, True), (elsewhere, False)):
        forwarded = await people.forward(cat, api.ann, channel)
        _, told = await api.call("GET", f"/channels/{channel.id}/messages/{forwarded.id}")
        assert (told["content"], told["attachments"]) == ("", [])
        assert told["message_reference"] == {
            "type": 1,
            "message_id": str(cat.id),
            "channel_id": str(api.channel.id),
            "guild_id": str(api.channel.guild_id),
        }
        [snapshot] = [each["message"] for each in told["message_snapshots"]]
        assert (snapshot["content"], len(snapshot["attachments"])) == (
            ("", 0) if hidden else ("look", 1)
        )
        assert "author" not in snapshot
        assert "referenced_message" not in told


async def test_the_intent_to_read_is_granted_beforehand(api: Api) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(api.discord.gateway.url)
        shard = Shard(socket)
        await shard.hear()
        identity = {"token": api.discord.token, "intents": 1 | 1 << 15, "properties": {}}
        await shard.say(2, **identity)
        await socket.receive(timeout=3)
        assert socket.close_code == 4014
        api.discord.world.content_granted = True
        again = Shard(await session.ws_connect(api.discord.gateway.url))
        await again.identify(api.discord.token, 1 | 1 << 9 | 1 << 15)
        await api.discord.people.say(api.channel, api.ann, "just talking")
        assert (await again.hear())["d"]["content"] == "just talking"


async def test_it_serves_in_a_process_of_its_own(tmp_path: Path) -> None:
    async with discord_process(tmp_path, token="token", channels=2, people=2) as (child, url, name):
        assert (await control(url, name))["identifies"] == 0
        with pytest.raises(RuntimeError, match="is not the server"):
            await control(url, "another")
        order = {"command": "imagine", "options": {}, "within": 0.1}
        async with aiohttp.ClientSession() as session:
            commands = f"{url}/api/v10/applications/1/commands"
            headers = {"Authorization": "Bot token"}
            await session.put(commands, json=IMAGINE, headers=headers)
            async with session.post(f"{url}/control/slash", json=order) as response:
                told = await response.json()
        assert (told["acknowledged"], told["result"]) == (None, None)
        assert await child.terminate(5) == 0
