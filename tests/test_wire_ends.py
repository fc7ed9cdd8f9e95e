"""Every end of a delivery: what people read, what it costs them, what Discord is asked for it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
from wire.faults import Fault, Kind
from wire.interactions import TOKEN_LIFE_S
from wire.limits import Limit
from wire.posting import NONCE_LIFE_S, remove
from wire.town import Town, open_town
from wire.world import BOT_MAY, MIB, Can

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from wire.asked import Asked
    from wire.messages import Message
    from wire.world import Channel, Guild

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR_S = 60 * 60
POST = {"method": "POST", "path": "/channels/*/messages"}
PATCH = {"method": "PATCH", "path": "/webhooks/**"}
ACKNOWLEDGE = {"method": "POST", "path": "/interactions/**"}
REFUSED, GONE = "POST channel 403", "POST channel 404"
#: What one delivery asks at most of a Discord that gives no answer.
TRIES = 5


class Order:
    """One command of somebody new, which is being painted."""

    def __init__(self, town: Town, asked: Asked) -> None:
        self.town, self.asked = town, asked
        self.channel, self.person = asked.interaction.channel, asked.interaction.person
        self._before = len(town.discord.calls)

    @property
    def row(self) -> dict[str, Any]:
        found = sql(
            self.town,
            "SELECT * FROM generations WHERE interaction_id = ?",
            self.asked.interaction.id,
        )
        return dict(found[0])

    def outlive_the_token(self) -> None:
        """As if it had waited in the line, or for Discord, for a quarter of an hour."""
        self.asked.interaction.made_at -= TOKEN_LIFE_S + 1
        statement = "UPDATE generations SET token_expires_at = 0 WHERE interaction_id = ?"
        sql(self.town, statement, self.asked.interaction.id)

    def choose(self, way: str) -> None:
        """As if it had been decided while the channel was crowded, or was not."""
        statement = "UPDATE generations SET way = ? WHERE interaction_id = ?"
        sql(self.town, statement, way, self.asked.interaction.id)

    @property
    def calls(self) -> list[str]:
        """What Discord was asked since the command was acknowledged, and how it answered."""
        token = self.asked.interaction.token
        places = {f"/channels/{self.channel.id}/": "channel", f"/{token}": "hook"}
        return [
            f"{call.method} {place} {call.status}"
            for call in self.town.discord.calls[self._before :]
            for part, place in places.items()
            if part in call.path and not call.path.endswith("/callback")
        ]

    @property
    def words(self) -> list[Message]:
        """What everybody can read there, without "thinking"."""
        return [message for message in self.channel.shown if not message.loading]

    async def delivered(self) -> dict[str, Any]:
        """Its row at the end; the pictures are the person's, and charged once."""
        state = await self.town.ended(self.asked)
        assert state == "delivered", f"{state} after {self.calls}"
        row = self.row
        assert self.books() == (row["wanted"], 0, 0, ["reserve", "settle"])
        return row

    def books(self) -> tuple[int, int, int, list[str]]:
        """(used today, reserved, waiting, the entries of the ledger)."""
        [person] = sql(self.town, "SELECT * FROM people WHERE id = ?", self.person.id)
        entries = sql(
            self.town, "SELECT entry FROM ledger WHERE person_id = ? ORDER BY 1", self.person.id
        )
        charged = person["day_used"], person["day_reserved"], person["waiting"]
        return *charged, [entry["entry"] for entry in entries]

    async def kept(self) -> None:
        """It ended without a message, the owner can read why, and the person has it all the same.

        In another channel: whatever has become of this one.
        """
        row, people = await self.delivered(), self.town.discord.people
        assert row["message_id"] is None
        assert self.events() >= {"generation.undeliverable"}
        elsewhere = self.town.channel()
        history = await (await people.slash(elsewhere, self.person, "history")).answer()
        assert "a red fox in fresh snow" in history.content
        shown = await (await people.slash(elsewhere, self.person, "show", id=row["id"])).answer()
        assert shown.ephemeral
        assert len(shown.files) == row["wanted"]

    def events(self) -> set[str]:
        """Of the lines of the log that are about it."""
        lines = (json.loads(line) for line in self.town.bot.log.splitlines() if line[:1] == "{")
        return {line["event"] for line in lines if line.get("id") == self.row["id"]}


def sql(town: Town, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(town.folder / "easel.db", isolation_level=None)) as other:
        other.row_factory = sqlite3.Row
        return other.execute(statement, values).fetchall()


@asynccontextmanager
async def ordered(
    town: Town, channel: Channel | None = None, **options: object
) -> AsyncGenerator[Order]:
    """Everybody sees that it is worked on; the bot begins when the block ends.

    By then, the bot has heard of all that the block has changed.
    """
    gate = asyncio.Event()
    town.discord.faults.add(Fault(Kind.SLOW, **ACKNOWLEDGE, after=True, gate=gate))
    asked = await town.imagine(channel or town.channel(), **options)
    await asked.acknowledged()
    try:
        yield Order(town, asked)
        # Events come in their order: what is answered was sent after all of them.
        typing = {"option": "model", "typed": "f"}
        lobby = town.guild.channels[0]
        typed = await town.discord.people.complete(lobby, town.person("bob"), "imagine", **typing)
        await typed.choices()
    finally:
        gate.set()


async def order(town: Town, channel: Channel | None = None, **options: object) -> Order:
    async with ordered(town, channel, **options) as one:
        return one


async def change_rights(town: Town, channel: Channel, may: Can) -> None:
    channel.bot_may = may
    told = json.dumps(channel.wire(town.discord.world.bot))
    await town.discord.gateway.dispatch("CHANNEL_UPDATE", told, guild_id=channel.guild_id)


async def delete_channel(town: Town, channel: Channel) -> None:
    told = json.dumps(channel.wire(town.discord.world.bot))
    del town.discord.world.channels[channel.id]
    town.guild.channels.remove(channel)
    await town.discord.gateway.dispatch("CHANNEL_DELETE", told, guild_id=channel.guild_id)


async def other_guild(town: Town, **facts: Any) -> tuple[Guild, Channel]:
    """One that the bot has just joined."""
    guild = town.discord.world.guild("elsewhere")
    for name, value in facts.items():
        setattr(guild, name, value)
    channel = town.discord.world.channel(guild)
    told = json.dumps(guild.wire(town.discord.world.bot))
    await town.discord.gateway.dispatch("GUILD_CREATE", told, guild_id=guild.id)
    return guild, channel


async def leave(town: Town, guild: Guild) -> None:
    guild.joined = False
    told = json.dumps({"id": str(guild.id)})
    await town.discord.gateway.dispatch("GUILD_DELETE", told, guild_id=guild.id)


async def restart(town: Town) -> None:
    """Another process takes over at once what this one had put off."""
    await town.bot.kill()
    town.let_leases_end()
    await town.bot.restart()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_for_all(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    async with open_town(folder, pace=0.05, channels=80) as opened:
        yield opened


@pytest.fixture
def town(open_for_all: Town) -> Town:
    open_for_all.discord.faults.clear()
    open_for_all.discord.world.mourns_thinking = False
    return open_for_all


async def test_a_deleted_waiting_message_keeps_the_result_from_nobody(town: Town) -> None:
    async with ordered(town) as one:
        remove(one.asked.interaction.original)
    result = await one.asked.result()
    assert (await one.delivered())["message_id"] == result.id
    assert one.calls == ["POST channel 200", "DELETE hook 404"]
    assert one.asked.said == []


@pytest.mark.parametrize("mourns", [False, True], ids=["whispered", "unsaid"])
async def test_a_deleted_response_is_made_up_for_by_a_whisper(town: Town, mourns: bool) -> None:
    channel = town.channel()
    await change_rights(town, channel, BOT_MAY & ~Can.ATTACH_FILES)
    town.discord.world.mourns_thinking = mourns
    async with ordered(town, channel, count=2) as one:
        remove(one.asked.interaction.original)
    await one.kept()
    assert one.calls == ["PATCH hook 404", f"POST hook {404 if mourns else 200}"]
    assert one.words == []
    if not mourns:
        [told] = one.asked.said
        assert told.ephemeral
        assert f"`/show id:{one.row['id']}` brings it" in told.content


async def test_a_deleted_response_is_made_up_for_by_a_message(town: Town) -> None:
    channel = town.channel()
    channel.window.limit = Limit(50, 5.0)  # it bears more than the bot has to expect
    orders = [await order(town, channel) for _ in range(5)]
    for each in orders:
        await each.delivered()
    async with ordered(town, channel) as one:
        remove(one.asked.interaction.original)
    await one.delivered()
    assert one.row["way"] == "response"
    assert [call for call in one.calls if "404" in call] == ["PATCH hook 404", "DELETE hook 404"]
    assert one.row["message_id"] in [message.id for message in channel.results]
    assert len(channel.results) == 6


@pytest.mark.parametrize("private", [False, True])
async def test_a_deleted_channel(town: Town, private: bool) -> None:
    async with ordered(town, count=2, private=private) as one:
        await delete_channel(town, one.channel)
    await one.kept()
    assert one.calls == ([] if private else [GONE]) + ["PATCH hook 404"]


async def test_a_server_that_was_left_has_the_result_in_the_response(town: Town) -> None:
    guild, channel = await other_guild(town)
    async with ordered(town, channel) as one:
        await leave(town, guild)
    assert (await one.delivered())["message_id"] == one.asked.interaction.original.id
    assert one.calls == [REFUSED, "PATCH hook 200"]


async def test_a_server_that_was_left_long_ago(town: Town) -> None:
    guild, channel = await other_guild(town)
    async with ordered(town, channel) as one:
        one.outlive_the_token()
        await leave(town, guild)
    await one.kept()
    assert one.calls == [REFUSED]


async def test_lost_rights_are_found_out_once(town: Town) -> None:
    async with ordered(town) as one:
        one.outlive_the_token()
        await change_rights(town, one.channel, BOT_MAY & ~Can.SEND_MESSAGES)
    await one.kept()
    assert one.calls == [REFUSED]


async def test_where_only_files_are_forbidden_words_say_where_they_are(town: Town) -> None:
    async with ordered(town, count=2) as one:
        one.outlive_the_token()
        await change_rights(town, one.channel, BOT_MAY & ~Can.ATTACH_FILES)
    await one.kept()
    assert one.calls == [REFUSED, "POST channel 200"]
    [told] = one.words
    assert told.mentions == [one.person]
    assert "painted, but I couldn't post it here" in told.content
    assert f"`/show id:{one.row['id']}`" in told.content


async def test_after_a_quarter_of_an_hour_a_message_still_comes(town: Town) -> None:
    async with ordered(town, count=2) as one:
        one.outlive_the_token()
    assert (await one.delivered())["message_id"] == (await one.asked.result()).id
    assert one.calls == ["POST channel 200"], "a token that is over is tried by nobody"


async def test_after_a_quarter_of_an_hour_what_is_private_stays_so(town: Town) -> None:
    async with ordered(town, count=2, private=True) as one:
        one.outlive_the_token()
    await one.kept()
    assert one.calls == []
    assert one.words == []


async def test_a_token_that_discord_refuses_before_its_time_is_tried_once(town: Town) -> None:
    async with ordered(town, private=True) as one:
        one.asked.interaction.made_at -= TOKEN_LIFE_S + 1
    await one.kept()
    assert one.calls == ["PATCH hook 401"]


async def too_small(town: Town, file_max: int, *, private: bool) -> Order:
    """What is painted in a server that takes less than it did when it was asked for."""
    guild, channel = await other_guild(town, file_max=10 * MIB)
    async with ordered(town, channel, private=private) as one:
        guild.file_max = file_max
    await town.ended(one.asked)
    return one


def sent(one: Order) -> tuple[str, Message | None]:
    if one.row["private"]:
        return "PATCH hook", one.asked.interaction.original
    return "POST channel", next(iter(one.words), None)


@pytest.mark.parametrize("private", [False, True])
async def test_a_lower_upload_limit_makes_the_pictures_smaller(town: Town, private: bool) -> None:
    await (await order(town)).delivered()
    [picture] = sql(town, "SELECT max(bytes) AS most FROM pictures")
    one = await too_small(town, picture["most"] * 2 // 3, private=private)
    call, message = sent(one)
    assert message is not None
    assert (await one.delivered())["message_id"] == message.id
    assert one.calls[:2] == [f"{call} 413", f"{call} 200"]
    assert message.files[0].size < picture["most"] * 2 // 3
    assert "delivery.made_smaller" in one.events()


@pytest.mark.parametrize("private", [False, True])
async def test_an_upload_limit_that_nothing_fits_is_told(town: Town, private: bool) -> None:
    one = await too_small(town, 5_000, private=private)
    one.channel.guild.file_max = 10 * MIB
    await one.kept()
    call, _ = sent(one)
    assert one.calls == [f"{call} 413"] * 2 + ["PATCH hook 200"]
    [told] = one.asked.said
    assert "too large for this place, even made smaller" in told.content
    assert f"`/show id:{one.row['id']}`" in told.content
    assert told.components == [], "there is nothing to cancel"


async def test_what_automatic_moderation_blocks_is_told(town: Town) -> None:
    for where in (POST, PATCH):
        town.discord.faults.add(Fault(Kind.STATUS, **where, status=400, code=200000))
    one = await order(town)
    await one.kept()
    assert one.calls == ["POST channel 400", "PATCH hook 400", "PATCH hook 200"]
    [told] = one.asked.said
    assert "I couldn't post it here" in told.content


@pytest.mark.parametrize(
    "then",
    [
        Fault(Kind.STATUS, **POST, status=403, code=50013),
        Fault(Kind.RATE_LIMITED, **POST, retry_after=900),
    ],
    ids=["rights lost", "channel shut"],
)
async def test_a_message_that_came_through_unheard_has_no_second_one(
    town: Town, then: Fault
) -> None:
    town.discord.faults.add(Fault(Kind.RESET, **POST, after=True))
    town.discord.faults.add(then)
    one = await order(town)
    [message] = [await one.asked.result()]
    assert (await one.delivered())["message_id"] == message.id
    assert one.words == [message]
    assert one.asked.said == []


async def test_a_response_that_became_the_result_outlives_a_kill(town: Town) -> None:
    async with ordered(town) as one:
        one.channel.bot_may = BOT_MAY & ~Can.SEND_MESSAGES
        town.discord.faults.add(Fault(Kind.SLOW, **PATCH, after=True, seconds=5))
    result = await one.asked.result()
    await restart(town)
    assert (await one.delivered())["message_id"] == result.id
    assert one.words == [result], "it is not taken for the waiting message"


async def test_a_failure_costs_nothing_wherever_it_can_be_told(town: Town) -> None:
    url = f"{town.painter_url}/sandbox/faults"
    order_of_fault = {"kind": "unsafe", "times": 3}
    async with aiohttp.ClientSession() as session, session.post(url, json=order_of_fault) as done:
        assert done.status == 201
    async with ordered(town) as whispered:
        remove(whispered.asked.interaction.original)
    async with ordered(town) as called:
        hook = f"/webhooks/*/{called.asked.interaction.token}/**"
        town.discord.faults.add(Fault(Kind.STATUS, path=hook, status=404, code=10015))
    async with ordered(town) as untold:
        await delete_channel(town, untold.channel)
    for one in (whispered, called, untold):
        assert await town.ended(one.asked) == "refused"
        assert one.books() == (0, 0, 0, ["refund", "reserve"])
    told = await whispered.asked.whisper()
    assert "safety" in told.content
    assert whispered.words == []
    await called.channel.pulse.until(lambda: called.words or None, within=3, what="a word")
    assert called.words[0].mentions == [called.person]
    assert called.calls == ["PATCH hook 404", "POST channel 200"]
    await town.until(lambda: "delivery.failure_untold" in untold.events(), "a line in the log")
    assert untold.calls == ["PATCH hook 404", GONE]


async def test_an_hour_without_discord(town: Town) -> None:
    faults = town.discord.faults
    channels = [town.channel() for _ in range(5)]
    posted = f"/channels/{channels[3].id}/messages"
    faults.add(Fault(Kind.STATUS, "POST", posted, status=503, after=True))
    for path in ("/channels/**", "/webhooks/**"):
        faults.add(Fault(Kind.RESET, path=path), times=None)
    public, crowded, private, unheard, shut = orders = [
        await order(town, channel, count=2, private=n == 2) for n, channel in enumerate(channels)
    ]
    await town.until(
        lambda: all("generation.put_off" in one.events() for one in orders), "a rest", 15
    )
    for one in orders:
        assert one.row["state"] == "painted"
        assert one.books() == (0, 2, 1, ["reserve"])
        assert len(one.calls) <= TRIES, "it is no storm"
        one.outlive_the_token()
    assert "discord.away" in town.bot.log

    town.discord.world.clock.forward(max(HOUR_S, NONCE_LIFE_S))
    crowded.choose("response")
    shut.channel.bot_may = BOT_MAY & ~Can.SEND_MESSAGES
    faults.clear()
    await restart(town)
    for one in (public, crowded, unheard):
        row, [message] = await one.delivered(), one.channel.results
        assert row["message_id"] == message.id
    for one in (private, shut):
        await one.kept()
    assert not [call for one in orders for call in one.calls if call.endswith("401")]
    assert [call for one in orders for call in one.calls if call.endswith("403")] == [REFUSED]


async def test_a_ban_by_the_machines_in_between_is_not_made_longer(town: Town) -> None:
    for path in ("/channels/**", "/webhooks/**"):
        banned = Fault(Kind.RATE_LIMITED, path=path, via=False, retry_after=HOUR_S)
        town.discord.faults.add(banned, times=None)
    orders = [await order(town) for _ in range(4)]
    await town.until(lambda: all("generation.put_off" in one.events() for one in orders), "a rest")
    calls = [call for one in orders for call in one.calls]
    assert calls
    assert set(calls) == {"POST channel 429"}
    assert len(calls) <= len(orders), "each such answer counts towards the ban"
    town.discord.faults.clear()
    await restart(town)
    for one in orders:
        assert (await one.delivered())["message_id"] == one.channel.results[0].id


async def test_full_channels_keep_no_other_one_waiting(tmp_path: Path) -> None:
    async with open_town(tmp_path, pace=0.05) as town:
        orders: list[Order] = []
        for _ in range(7):
            full = town.channel()
            # A message that fills it comes back from discord.py only when it has room again.
            full.window.limit = Limit(1, 50.0)
            orders += [await order(town, full), await order(town, full)]
        await town.until(lambda: all(one.row["state"] == "painted" for one in orders), "pictures")
        await town.until(lambda: all(one.channel.results for one in orders), "seven of them")
        await (await order(town)).asked.result(within=20)
        assert {one.row["state"] for one in orders} == {"painted"}, "all of them are still full"


async def test_no_end_writes_a_secret_into_the_log(town: Town) -> None:
    one = await order(town)
    await one.delivered()
    assert "generation" in one.events(), "it is the log of this bot"
    assert [secret for secret in town.secrets() if secret in town.bot.log] == []


async def test_a_crowd_keeps_to_what_a_bot_may_ask_in_a_second(tmp_path: Path) -> None:
    crowd = 120
    async with open_town(tmp_path, pace=0.05, channels=crowd, max_concurrent_calls=crowd) as town:
        # What discord.py asks at a start is not ours to count, and over in a second.
        await asyncio.sleep(1.1)
        asked = await asyncio.gather(*(town.imagine(town.channel()) for _ in range(crowd)))
        results = await asyncio.gather(*(one.result() for one in asked))
        slowest = max(one.took(result) for one, result in zip(asked, results, strict=True))
        statuses = {call.status for call in town.discord.calls}
    assert 429 not in statuses, "discord.py heeds the limit of the whole bot too late"
    assert len({message.id for message in results}) == crowd
    assert slowest < 8, "who would wait longer has the response for a result"
