"""A short tour: what three people do with the bot, so that the page opens with pictures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import discord
    import simcord


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
        result = await who.click(message, label=label)
        if pictures:
            self._newest(before, pictures)
        else:
            self._private(result, expect)

    async def _look(self, who: simcord.MemberActor, command: str, *, expect: str) -> None:
        self._say(who, f"/{command}")
        self._private(await who.slash(self.channel, command), expect)

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

    def _private(self, result: simcord.InteractionResult, expect: str) -> None:
        answers = [a for a in (result.response, *result.followups) if a is not None]
        if not answers or not answers[-1].ephemeral or expect not in answers[-1].content:
            raise TourFailed(f"expected “{expect}” for one person alone, and got {answers!r}")
        self._answer(answers[-1].content, answers[-1].attachments, whisper=True)

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


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
