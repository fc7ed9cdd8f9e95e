"""A short tour: what three people do with the bot, so that the page opens with pictures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import discord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import simcord

#: For what the bot does by itself; the real API may take its time.
_PATIENCE_S, _LOOK_S = 120.0, 0.05


class TourFailed(Exception):
    """A step of the tour did not do what people are promised."""


@dataclass(slots=True)
class Tour:
    """Plays the tour in a channel and writes down what was said and shown."""

    env: simcord.Env
    channel: simcord.ChannelHandle
    ann: simcord.MemberActor
    bob: simcord.MemberActor
    cleo: simcord.MemberActor
    lines: list[str] = field(default_factory=list[str])
    files: dict[str, discord.Attachment] = field(default_factory=dict[str, "discord.Attachment"])

    async def play(self) -> None:
        """Every step, in order.

        Raises:
            TourFailed: one went wrong.
        """
        fox = await self._imagine(self.ann, prompt="a red fox in fresh snow")
        lighthouse = await self._imagine(
            self.bob,
            prompt="a lighthouse on a cliff at sunset",
            shape="wide",
            count=2,
            style="watercolour",
            seed=7,
        )
        await self._look(self.ann, "limits", expect="Today")
        await self._look(self.ann, "history", expect="a red fox in fresh snow")
        await self._press(self.cleo, fox, "2", expect="Picture 2 of 4")
        await self._press(self.cleo, fox, "Reroll", pictures=4)
        night = await self._reply(self.bob, fox, "#1 make it night")
        await self._reply(self.ann, night, "give it a watercolour look")
        await self._blend(self.cleo, fox.attachments[0], lighthouse.attachments[0])
        await self._vote()

    async def _vote(self) -> None:
        """Three people vote; the winner is painted on as one of them suggests, and once more."""
        first = await self._start_vote(self.ann, prompt="a castle on a hill at dawn", rounds=2)
        for who, number in ((self.ann, "3"), (self.bob, "2"), (self.cleo, "2")):
            await self._press(who, first, number, expect="You vote for picture")
        await self._press(self.ann, first, "Close the vote", expect="Closed.")
        await self._shown(first, "round 2 begins")
        await self._suggest(self.bob, first, "make it night")
        await self._suggest(self.cleo, first, "make it snow")
        second = await self._next_ballot(self.ann, first, "Start round 2 now")
        for who, number in ((self.ann, "1"), (self.bob, "1"), (self.cleo, "2")):
            await self._press(who, second, number, expect="You vote for picture")
        await self._next_ballot(self.ann, second, "Close the vote", pictures=2)

    async def _start_vote(self, who: simcord.MemberActor, **options: object) -> discord.Message:
        said = " ".join(f"{name}: {value}" for name, value in options.items())
        self._say(who, f"/vote start {said}")
        asked = await who.slash(self.channel, "vote start", **options)
        question = self._private(asked, "each ballot is open for")
        self._say(who, "presses [Start the vote]")
        before = len(self._results())
        await who.click(question, label="Start the vote")
        return await self._arrived(before, 4)

    async def _suggest(self, who: simcord.MemberActor, ballot: discord.Message, words: str) -> None:
        self._say(who, f"presses [Suggest a change…] and writes: {words}")
        form = await who.click(self._now(ballot), label="Suggest a change…")
        self._private(await who.submit_modal(form, {"words": words}), "on the list")

    async def _next_ballot(
        self, who: simcord.MemberActor, ballot: discord.Message, label: str, *, pictures: int = 4
    ) -> discord.Message:
        before = len(self._results())
        await self._press(who, ballot, label, expect="")
        return await self._arrived(before, pictures)

    async def _imagine(self, who: simcord.MemberActor, **options: object) -> discord.Message:
        said = " ".join(f"{name}: {value}" for name, value in options.items())
        self._say(who, f"/imagine {said}")
        before = len(self._results())
        await who.slash(self.channel, "imagine", **options)
        return self._newest(before, int(str(options.get("count", 4))))

    async def _reply(
        self, who: simcord.MemberActor, to: discord.Message, words: str
    ) -> discord.Message:
        self._say(who, f"replies to the picture: {words}")
        before = len(self._results())
        await who.send(self.channel, words, reply_to=to)
        return self._newest(before, 1)

    async def _blend(self, who: simcord.MemberActor, *pictures: discord.Attachment) -> None:
        self._say(who, f"/blend {' '.join(picture.filename for picture in pictures)}")
        before = len(self._results())
        files = [(picture.filename, await picture.read()) for picture in pictures]
        options = {f"image{number}": file for number, file in enumerate(files, start=1)}
        await who.slash(self.channel, "blend", **options)
        self._newest(before, 4)

    async def _press(
        self,
        who: simcord.MemberActor,
        message: discord.Message,
        label: str,
        *,
        pictures: int = 0,
        expect: str = "",
    ) -> None:
        self._say(who, f"presses [{label}]")
        before = len(self._results())
        message = self._now(message)
        result = await who.click(message, label=_whole_label(message, label))
        if pictures:
            self._newest(before, pictures)
        else:
            self._private(result, expect)

    async def _look(self, who: simcord.MemberActor, command: str, *, expect: str) -> None:
        self._say(who, f"/{command}")
        self._private(await who.slash(self.channel, command), expect)

    async def _arrived(self, before: int, count: int) -> discord.Message:
        """The same, of what the bot posts by itself, a moment later."""
        await self._until(lambda: len(self._results()) > before)
        return self._newest(before, count)

    async def _shown(self, message: discord.Message, words: str) -> None:
        """Waits until a message says so."""
        await self._until(lambda: words in self._now(message).content)
        self._answer(self._now(message).content, ())

    async def _until(self, happened: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not happened():  # noqa: ASYNC110 - the channel tells nobody
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            pass  # what is missing is told by whoever looks for it

    def _now(self, message: discord.Message) -> discord.Message:
        """As it is by now."""
        return next(each for each in self.channel.history() if each.id == message.id)

    def _newest(self, before: int, count: int) -> discord.Message:
        """The result that has just been posted, with as many described pictures as asked."""
        results = self._results()
        if len(results) != before + 1:
            last = self.channel.last_message
            ends = last.content if last else "nothing"
            raise TourFailed(f"no result was posted; the channel ends with: {ends}")
        message = results[-1]
        described = [a for a in message.attachments if a.description]
        if len(described) != count:
            raise TourFailed(f"{len(described)} described pictures came, and not {count}")
        self._answer(message.content, message.attachments)
        return message

    def _private(self, result: simcord.InteractionResult, expect: str) -> simcord.ResponseMessage:
        """What one person alone was answered."""
        answers = [a for a in (result.response, *result.followups) if a is not None]
        if not answers or not answers[-1].ephemeral or expect not in answers[-1].content:
            raise TourFailed(f"expected “{expect}” for one person alone, and got {answers!r}")
        self._answer(answers[-1].content, answers[-1].attachments, whisper=True)
        return answers[-1]

    def _results(self) -> list[discord.Message]:
        return [message for message in self.channel.history() if message.attachments]

    def _say(self, who: simcord.MemberActor, what: str) -> None:
        self.lines += ["", f"**{who.name}** {what}", ""]

    def _answer(
        self, content: str, files: Sequence[discord.Attachment], *, whisper: bool = False
    ) -> None:
        only = " (only they see this)" if whisper else ""
        for who in (self.ann, self.bob, self.cleo):
            content = content.replace(who.mention, f"@{who.name}")
        self.lines.append(f"> **Easel**{only}")
        self.lines += [f"> {line}" for line in content.splitlines()]
        self.lines += [f"> ![{file.description}]({file.filename})" for file in files]
        self.files |= {file.filename: file for file in files}

    async def write(self, folder: Path) -> int:
        """Writes the transcript and every picture that was shown; returns how many pictures."""
        pictures = {name: await file.read() for name, file in self.files.items()}
        text = "\n".join(["# A tour of Easel", *self.lines, ""])
        await asyncio.to_thread(_write, folder, pictures | {"transcript.md": text.encode()})
        return len(pictures)


def _whole_label(message: discord.Message, label: str) -> str:
    """That of the button which begins so: the number of a candidate has its votes behind it."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    labels = [getattr(item, "label", "") or "" for row in rows for item in row.children]
    return next((each for each in labels if each.split(" · ")[0] == label), label)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
