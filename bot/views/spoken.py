"""What somebody says to the bot in a message: the words, and what stands before them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from bot.studio.gathering import split_links

if TYPE_CHECKING:
    import discord

    from bot.studio.gathering import Linked

# Four digits are a year.
_NUMBER = r"#([0-9]{1,3})(?!\w)"
_NUMBERS = re.compile(
    rf"\s*{_NUMBER}(?:[\s,;&+]*(?:and\b\s*)?{_NUMBER})*(?:[\s,:;]|[.!\u2013\u2014-](?!\w))*"
)
_BARE_NUMBER = re.compile(r"[0-9]{1,3}")
_PERSON = re.compile(r"<@!?([0-9]+)>")
#: What people answer a picture with that want no other one: GIFs, names, and emoji of servers.
_NO_WORDS = re.compile(r"<?https?://\S+>?|<a?:\w+:\d+>|<@!?\d+>")


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote.

    Attributes:
        text: the instruction alone; empty where there are no letters.
        links: that stand before it, each to a picture.
        numbers: of the pictures that it is about, from 1, each once.
        called: the bot was named, and not only replied to.
    """

    text: str
    links: tuple[Linked, ...] = ()
    numbers: tuple[int, ...] = ()
    called: bool = False

    @classmethod
    def of(cls, message: discord.Message, me: discord.abc.User) -> Self:
        text, calls = re.subn(rf"<@!?{me.id}>", " ", message.content)
        numbers: dict[int, None] = {}
        if found := _NUMBERS.match(text):
            numbers = dict.fromkeys(int(each) for each in re.findall(_NUMBER, found[0]))
            text = text[found.end() :]
        text, links = split_links(text)
        if not any(sign.isalnum() for sign in _NO_WORDS.sub("", text)):
            text = ""
        return cls(_with_names(text, message).strip(), links, tuple(numbers), called=calls > 0)

    @property
    def prompt(self) -> str:
        """With the links, which the studio takes off again."""
        return " ".join((*(link.url for link in self.links), self.text))

    def as_answer(self) -> Self:
        """The same where they answer a question, to which a number alone is enough."""
        if _BARE_NUMBER.fullmatch(self.text):
            return replace(self, text="", numbers=(int(self.text),), called=True)
        return replace(self, called=True)

    def after(self, earlier: Words) -> Self:
        """With what they leave to the words of before."""
        return replace(
            self,
            text=self.text or earlier.text,
            links=(*earlier.links, *self.links),
            numbers=self.numbers or earlier.numbers,
        )


def _with_names(text: str, message: discord.Message) -> str:
    """A model knows nobody by number; nor is a name a link to follow, whatever it looks like."""
    names = {str(each.id): each.display_name.replace("://", " ") for each in message.mentions}
    return _PERSON.sub(lambda found: names.get(found[1], found[0]), text)
