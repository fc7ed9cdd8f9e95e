"""The question before combinations are painted: what it says, and what each answer does."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_views import check_layout, hostile, texts
from world import open_world

from bot.errors import AllowanceSpent, BadRequest, NotAllowed
from bot.imaging.request import Size
from bot.store.schema import drafts, people
from bot.studio.gathering import Upload
from bot.studio.generation import Place
from bot.studio.intake import asks_first
from bot.studio.order import Order, Source
from bot.studio.outcomes import Answered, Quote
from bot.views import asking
from bot.views.base import HEARD, UNKNOWN_INTERACTION
from bot.views.confirm import Questions, question_buttons, question_text
from bot.views.wording import CONTENT_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

PROMPT = "{red|blue|gold} fox"
DAY_S = 24 * 60 * 60
interactions = count(10)


def place(world: World, who: Any = None, interaction_id: int | None = None) -> Place:
    return Place(
        interaction_id=interaction_id or next(interactions),
        person_id=(who or world.ann).id,
        server_id=world.guild.id,
        application_id=world.client.application_id or 0,
        channel_id=world.channel.id,
        interaction_token="over",
        token_expires_at=0.0,
        may_post=True,
        file_limit=10_000_000,
    )


async def change(world: World, statement: Any) -> None:
    await world.client._database.write(lambda connection: connection.execute(statement))


async def paint(world: World, asked: Any, pictures: int = 3) -> Any:
    return await world.ann.click(asked.response, label=f"Paint {pictures} pictures")


def last(answer: Any) -> Any:
    return answer.followups[-1] if answer.followups else answer.response


async def test_the_question_is_private_and_tells_what_it_comes_to(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    assert asked.ephemeral
    assert asked.response.content == (
        "**3 pictures**, one of each combination:\n"
        "1. `red fox`\n"
        "2. `blue fox`\n"
        "3. `gold fox`\n"
        "FLUX.2 [pro] would paint them for about $0.09 in all."
    )
    [row] = asked.response.components
    assert [button["label"] for button in row["components"]] == ["Paint 3 pictures", "Leave it"]
    assert world.channel.history() == [], "nobody else sees anything of it"
    assert not world.painter.requests
    assert await world.generations() == []
    assert await world.usage(world.ann) is None, "nothing is reserved before a yes"


async def test_a_yes_paints_in_public_and_takes_the_question_away(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    answer = await paint(world, asked)
    assert answer.deferred
    assert not answer.ephemeral
    [result] = world.channel.history()
    assert len(result.attachments) == 3
    assert asked.response is None, "the question is answered, and gone"
    assert await world.rows(drafts) == []
    assert (await world.usage(world.ann)).day_used == 3


async def test_what_is_asked_in_private_is_painted_in_private(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT, private=True)
    answer = await paint(world, asked)
    assert answer.ephemeral
    assert len(answer.response.attachments) == 3
    assert world.channel.history() == []


async def test_a_no_says_so_and_forgets_it(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    await world.ann.click(asked.response, label="Leave it")
    assert asked.response.content == "Left alone; nothing was charged."
    assert not asked.response.components
    assert await world.rows(drafts) == []
    assert not world.painter.requests


async def test_an_answer_after_a_restart_and_once_more(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    await world.restart()
    await paint(world, asked)
    assert len(world.results()) == 1
    # The simulated Discord lets nothing but the command itself remove its question by then.
    again = await paint(world, asked)
    assert again.acknowledged
    assert_closed(asked)
    assert len(world.results()) == 1
    assert (await world.usage(world.ann)).day_used == 3


async def test_a_no_after_the_answer(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    await change(world, drafts.delete())
    await world.ann.click(asked.response, label="Leave it")
    assert_closed(asked)


def assert_closed(asked: Any) -> None:
    assert "That question is closed" in asked.response.content
    assert not asked.response.components, "it leads nowhere, so it has no buttons"


async def test_after_a_day_it_is_too_late(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    await change(world, drafts.update().values(created_at=time.time() - DAY_S - 1))
    answer = await paint(world, asked)
    assert answer.acknowledged
    assert "it was answered, or it is too old" in asked.response.content
    assert world.results() == []


async def test_a_limit_refuses_and_the_question_stays(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=4) as world:
        await world.imagine(count=4)
        asked = await world.imagine(prompt=PROMPT)
        refused = await paint(world, asked)
        assert refused.ephemeral
        assert "a minute" in last(refused).content
        assert "**3 pictures**" in asked.response.content, "it can be pressed again in a minute"
        await change(world, people.update().values(minute_start=time.time() - 61))
        await paint(world, asked)
        assert len(world.results()) == 2


async def test_what_cannot_be_painted_is_refused_before_anybody_is_asked(world: World) -> None:
    for options in ({"model": "flux-9000"}, {"style": "baroque-ish"}, {"count": 4}):
        answer = await world.imagine(prompt=PROMPT, **options)
        assert answer.ephemeral
        assert not answer.response.components
    assert await world.rows(drafts) == []


async def test_words_without_a_choice_are_not_asked_about(world: World) -> None:
    await world.imagine(prompt='{"subject": "a fox", "mood": "quiet"} red|blue', count=1)
    assert len(world.results()) == 1


async def test_a_yes_that_discord_lost_can_be_said_again(world: World) -> None:
    asked = await world.imagine(prompt=PROMPT)
    lost = "/interactions/*/callback"
    world.env.inject_error("POST", lost, status=404, code=UNKNOWN_INTERACTION)
    await paint(world, asked)
    assert world.results() == []
    assert (await world.usage(world.ann)).day_reserved == 0
    await paint(world, asked)
    assert len(world.results()) == 1
    assert [row.state for row in await world.generations()] == ["cancelled", "delivered"]


async def test_presses_at_the_same_moment_paint_once(world: World) -> None:
    intake = world.client.studio.intake
    quote = await intake.quote(Order(PROMPT), place(world))
    again = place(world)
    outcomes = await asyncio.gather(
        *(intake.confirm(quote.draft_id, again) for _ in range(3)),
        *(intake.confirm(quote.draft_id, place(world)) for _ in range(3)),
        return_exceptions=True,
    )
    replayed = [outcome for outcome in outcomes[:3] if not isinstance(outcome, BaseException)]
    assert [submitted.fresh for submitted in replayed].count(True) == 1
    assert len(replayed) == 3, "an event that comes again is no second answer"
    assert all(isinstance(outcome, Answered) for outcome in outcomes[3:])
    assert len(await world.generations()) == 1
    assert (await world.usage(world.ann)).day_reserved == 3


async def test_a_question_is_its_askers(world: World) -> None:
    intake = world.client.studio.intake
    quote = await intake.quote(Order(PROMPT), place(world))
    for answer in (
        intake.confirm(quote.draft_id, place(world, world.bob)),
        intake.discard(quote.draft_id, world.bob.id),
        intake.draft(quote.draft_id, world.bob.id),
    ):
        with pytest.raises(NotAllowed, match=f"^Only {world.ann.mention}, who asked, can choose"):
            await answer
    assert (await intake.confirm(quote.draft_id, place(world))).fresh


async def test_the_model_that_was_named_paints(world: World) -> None:
    intake, catalogue = world.client.studio.intake, world.client.studio.catalogue
    quote = await intake.quote(Order(PROMPT), place(world))
    catalogue.mark_away(quote.order.model or "")
    submitted = await intake.confirm(quote.draft_id, place(world))
    assert "FLUX.2 [pro] is away just now" in submitted.generation.notes[0], (
        "and nobody else quietly"
    )
    later = await intake.quote(Order(PROMPT, model="FLUX.2 [pro]"), place(world))
    assert "FLUX.2 [pro] is away just now" in question_text(later)
    assert later.model_name != "FLUX.2 [pro]"


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 64), "orange").save(buffer, "PNG")
    return buffer.getvalue()


async def kept(world: World, quote: Quote) -> bool:
    [source] = quote.order.sources
    return await world.client.studio._archive.exists(source.key)


async def test_pictures_that_came_with_a_question_are_kept_as_long_as_it_is(world: World) -> None:
    intake = world.client.studio.intake

    async def quoted() -> Quote:
        return await intake.quote(Order(PROMPT), place(world), [Upload(png())])

    left, painted, expired = [await quoted() for _ in range(3)]
    assert left.model_name == "FLUX.2 [pro]"
    await intake.discard(left.draft_id, world.ann.id)
    assert not await kept(world, left)
    submitted = await intake.confirm(painted.draft_id, place(world))
    assert submitted.generation.order.sources == painted.order.sources
    await change(world, drafts.update().values(created_at=time.time() - DAY_S - 1))
    await intake.quote(Order(PROMPT), place(world))
    assert not await kept(world, expired), "the next question clears up after forgotten ones"
    assert await kept(world, painted)
    with pytest.raises(BadRequest):
        await intake.quote(Order(PROMPT, model="Ideogram 4.0"), place(world), [Upload(png())])


async def test_pictures_stay_when_a_limit_refuses_a_yes(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=2) as world:
        intake = world.client.studio.intake
        quote = await intake.quote(Order(PROMPT), place(world), [Upload(png())])
        with pytest.raises(AllowanceSpent):
            await intake.confirm(quote.draft_id, place(world))
        assert await kept(world, quote)


@pytest.mark.parametrize(
    ("prompt", "asks"),
    [
        (PROMPT, True),
        ("a fox", False),
        ("{a|a} fox", False),
        ("https://example.com/{a|b}.png a fox", False),
        ("https://example.com/a.png {red|blue} fox", True),
    ],
)
def test_what_is_asked_about(prompt: str, asks: bool) -> None:
    assert asks_first(Order(prompt)) is asks


def test_variations_of_all_are_not_asked_about() -> None:
    source = Source("key", Size(64, 64), prompt="a fox")
    assert not asks_first(Order(PROMPT, each=True, sources=(source, source)))


def quote_of(prompt: str, **changed: Any) -> Quote:
    values = {"model_name": "FLUX.2 [pro]", "price": 90_000, "notes": ()}
    return Quote("0123456789", Order(prompt, count=changed.pop("count", None)), **values | changed)


@given(st.lists(st.one_of(texts, hostile), min_size=2, max_size=8, unique=True))
def test_a_question_fits_whatever_is_asked(options: list[str]) -> None:
    prompt = f"{{{'|'.join(option.replace('|', '').strip('{}') for option in options)}}} fox"
    quote = quote_of(prompt, notes=("Somebody is away just now, so somebody else paints.",))
    text = question_text(quote)
    assert len(text) <= CONTENT_MAX
    assert "would paint them" in text, "how many and for how much is never cut off"
    for line in text.splitlines()[1 : 1 + len(quote.order.parts)]:
        assert line.count("`") == 2, "what was typed would act"
    check_layout(question_buttons(quote))


def test_how_many_of_each() -> None:
    text = question_text(quote_of("{a|b} fox", count=3))
    assert text.startswith("**6 pictures**, 3 of each combination:")


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (None, "would paint them; I don't know what it charges."),
        (0, "would paint them for free."),
        (5400, "would paint them for about $0.0054 in all."),
    ],
)
def test_the_price(price: int | None, said: str) -> None:
    assert said in question_text(quote_of("{a|b} fox", price=price))


def test_long_prompts_are_told_apart_by_where_they_differ() -> None:
    text = question_text(quote_of("a very long story " * 30 + "of a {red|reddish} fox"))
    assert "1. `…red fox`" in text
    assert "2. `…reddish fox`" in text


class Asked:
    """An interaction, as far as a question needs one; what happened to it, in order."""

    def __init__(self, *, thinking: bool = False, heard: bool = False) -> None:
        self.did: list[str] = []
        self.id, self.extras = 1, {HEARD: True} if heard else {}
        self.response = self.followup = self
        self.message = SimpleNamespace(id=7, flags=SimpleNamespace(ephemeral=True))
        self._thinking = thinking

    def is_done(self) -> bool:
        return self._thinking

    async def defer(self, *, ephemeral: bool, thinking: bool) -> None:
        assert ephemeral
        assert thinking
        self._thinking = True
        self.did.append("thinking")

    async def send_message(self, _text: str, *, ephemeral: bool, view: Any) -> None:
        assert ephemeral
        assert view
        self.did.append("asked")

    async def edit_original_response(self, *, content: str, view: Any) -> None:
        assert content
        assert view
        self.did.append("asked in place of thinking")

    async def delete_original_response(self) -> None:
        self.did.append("gone")

    async def delete_message(self, message_id: int) -> None:
        self.did.append(f"{message_id} gone")


@pytest.mark.parametrize("how", [{"thinking": True}, {"heard": True}])
async def test_a_question_takes_the_place_of_thinking(how: dict[str, bool]) -> None:
    interaction: Any = Asked(**how)
    await Questions().put(interaction, quote_of(PROMPT))
    assert interaction.did == ["asked in place of thinking"]


async def test_a_slow_studio_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "DECIDE_WITHIN_S", 0.02)
    interaction: Any = Asked()
    interaction.client = SimpleNamespace(questions=Questions())

    async def quoting() -> Quote:
        await asyncio.sleep(0.1)
        return quote_of(PROMPT)

    await asking._put_question(interaction, quoting())
    assert interaction.did == ["thinking", "asked in place of thinking"]


async def test_questions_are_remembered_as_long_as_they_can_be_taken_away() -> None:
    now = 0.0
    questions, asked, press = Questions(lambda: now), Asked(), Asked()
    await questions.put(asked, quote_of(PROMPT))  # type: ignore[arg-type]
    now = 15 * 60 + 1.0
    await questions.take_away("0123456789", press)  # type: ignore[arg-type]
    assert asked.did == ["asked"], "its token is over"
    assert press.did == ["7 gone"]
    assert not questions._open, "nothing is remembered for ever"
