"""Orders that work from pictures: what is sent, by which model, and what is refused for nothing."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import select
from world import open_world

from bot.demo.faults import Fault, Kind
from bot.errors import AllowanceSpent, NotAllowed, NotFound, Refusal
from bot.imaging import recipe
from bot.imaging.cleaning import CLEAN_BYTES_MAX
from bot.imaging.containers import MediaType
from bot.imaging.model import Takes
from bot.imaging.pictures import inspect
from bot.imaging.references import BadReference, Reference
from bot.imaging.request import Shape
from bot.store.schema import Editors, sources
from bot.studio.gathering import SOURCES_MAX, Elsewhere, Linked, Ours, Upload, split_links
from bot.studio.generation import Generation, Place
from bot.studio.order import Order, Variation

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

LINK = "https://cdn.example/fox.png"


def picture(width: int = 96, height: int = 64, colour: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def place(world: World, number: int, who: Any = None, **changed: object) -> Place:
    """Where a command of that number came from; it has no token, and is answered in the channel."""
    values: dict[str, Any] = {
        "interaction_id": 7_000 + number,
        "person_id": (who or world.ann).id,
        "server_id": world.guild.id,
        "application_id": 1,
        "channel_id": world.channel.id,
        "interaction_token": "",
        "token_expires_at": time.time() - 1,
        "may_post": True,
        "file_limit": 10 * 1024 * 1024,
    }
    return Place(**values | changed)


async def paint(world: World, order: Order, where: Place, *given: Any) -> Any:
    """The row of the generation, painted and delivered."""
    intake = world.client.studio.intake
    submitted = await intake.submit(order, where, given)
    intake.begin(submitted.generation)
    return await ended(world, submitted.generation.id)


async def ended(world: World, generation_id: str) -> Any:
    """Its row, once it has come to an end."""
    for _ in range(1000):
        await world.env.settle()
        [row] = [row for row in await world.generations() if row.id == generation_id]
        if row.ended_at is not None:
            return row
        await asyncio.to_thread(time.sleep, 0.005)
    raise AssertionError(f"it is {row.state} still")


def sent(world: World) -> list[Image.Image]:
    """The pictures of the last request, as the API got them."""
    return [Image.open(BytesIO(data)) for data in files_sent(world)]


def files_sent(world: World) -> list[bytes]:
    body = world.painter.requests[-1].body
    fields = body.get("reference_images") or [body["image_url"]]
    assert isinstance(fields, list)
    return [base64.b64decode(str(field).partition(",")[2]) for field in fields]


async def test_what_was_brought_along_is_sent_clean_and_its_form_is_followed(world: World) -> None:
    order = Order("make it night", count=1)
    row = await paint(world, order, place(world, 1), Upload(picture(900, 600), LINK))
    assert row.state == "delivered"
    [reference] = sent(world)
    assert reference.size == (900, 600)
    body = world.painter.requests[-1].body
    width, height = body["width"], body["height"]
    assert isinstance(width, int)
    assert isinstance(height, int)
    assert abs(width / height - 1.5) < 0.05, "the picture's form, since none was asked for"
    assert not row.notes.count("shape")


async def test_a_shape_that_was_asked_for_wins(world: World) -> None:
    order = Order("make it night", count=1, shape=Shape.SQUARE)
    await paint(world, order, place(world, 1), Upload(picture(900, 300)))
    body = world.painter.requests[-1].body
    assert body["width"] == body["height"]


async def test_a_picture_of_ours_is_sent_and_remembered_as_the_parent(world: World) -> None:
    first = await paint(world, Order("a red fox", count=2, seed=5), place(world, 1))
    order = Order("make it night", count=1)
    edit = await paint(world, order, place(world, 2, world.bob), Ours(first.id, 2))
    [second] = [p for p in await world.rows(sources) if p.generation_id == edit.id]
    assert (second.parent_id, second.parent_position) == (first.id, 2)
    lineage = Generation.from_row(edit).order.lineage
    assert lineage is not None
    assert (lineage.prompt, lineage.authors, lineage.step) == ("a red fox", (world.ann.id,), 1)
    kept = await world.client.studio.see(first.id, place(world, 3).viewer)
    [data] = await world.client.studio.files(kept.pictures[1:])
    [reference] = sent(world)
    original = Image.open(BytesIO(data)).convert("RGB")
    assert reference.size == original.size
    difference = [
        abs(a - b)
        for a, b in zip(
            *(i.convert("RGB").resize((8, 8)).tobytes() for i in (reference, original)), strict=True
        )
    ]
    assert max(difference) < 12, "another picture was sent"


async def test_a_picture_of_ours_is_sent_small_and_without_its_recipe(world: World) -> None:
    first = await paint(world, Order("a secret of ours", count=1), place(world, 1))
    kept = await world.client.studio.see(first.id, place(world, 2).viewer)
    [data] = await world.client.studio.files(kept.pictures)
    written = recipe.read(data)
    assert written is not None, "what is kept says how it was painted"
    # As models that paint in more pixels, or in PNG, would have left it there.
    pixels = Image.frombytes("RGB", (1400, 1400), os.urandom(1400 * 1400 * 3))
    buffer = BytesIO()
    pixels.save(buffer, "PNG")
    large = recipe.embed(inspect(buffer.getvalue()), written).data
    assert len(large) > CLEAN_BYTES_MAX
    await world.client.studio._archive.put({kept.pictures[0].key: large})
    await paint(world, Order("make it night", count=1), place(world, 3), Ours(first.id, 1))
    [file] = files_sent(world)
    assert len(file) <= CLEAN_BYTES_MAX
    assert recipe.read(file) is None
    for told in (b"easel", b"a secret of ours", first.id.encode(), b"xmpmeta"):
        assert told not in file, "it went along to the API"
    assert Image.open(BytesIO(file)).size == (1400, 1400)


async def test_an_edit_of_an_edit_counts_steps_and_names_everybody(world: World) -> None:
    first = await paint(world, Order("a red fox", count=1), place(world, 1))
    second = await paint(
        world, Order("make it night", count=1), place(world, 2, world.bob), Ours(first.id, 1)
    )
    third = await paint(world, Order("add a moon", count=1), place(world, 3), Ours(second.id, 1))
    lineage = Generation.from_row(third).order.lineage
    assert lineage is not None
    assert (lineage.step, lineage.authors) == (2, (world.ann.id, world.bob.id))
    family = await world.client.studio.family(second.id, place(world, 4).viewer, at_most=24)
    assert [member.generation.id for member in family.members] == [first.id, second.id, third.id]
    assert [(edge.parent_id, edge.child_id) for edge in family.edges] in (
        [(first.id, second.id), (second.id, third.id)],
        [(second.id, third.id), (first.id, second.id)],
    )


async def test_reroll_works_from_the_same_pictures(world: World) -> None:
    row = await paint(
        world, Order("make it night", count=1), place(world, 1), Upload(picture(300, 200))
    )
    where = place(world, 2, world.bob)
    again = await world.client.studio.intake.again(row.id, where.viewer, where)
    world.client.studio.intake.begin(again.generation)
    await ended(world, again.generation.id)
    assert [reference.size for reference in sent(world)] == [(300, 200)]
    assert world.painter.renders == 2


@pytest.mark.parametrize(("position", "pictures"), [(2, 4), (None, 3)])
async def test_variations_of_one_and_of_each(
    world: World, position: int | None, pictures: int
) -> None:
    first = await paint(world, Order("a red fox", count=3), place(world, 1))
    asked = len(world.painter.requests)
    intake = world.client.studio.intake
    varied = await intake.vary(first.id, position, Variation.SUBTLE, place(world, 2))
    intake.begin(varied.generation)
    row = await ended(world, varied.generation.id)
    assert (row.state, row.wanted) == ("delivered", pictures)
    requests = list(world.painter.requests)[asked:]
    assert sum(int(str(request.body.get("n", 1))) for request in requests) == pictures
    for request in requests:
        assert "a red fox" in str(request.body["prompt"])
        assert len(request.body["reference_images"]) == 1  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "broken",
    [b"", b"no picture", picture()[:60], b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["empty", "text", "cut off", "svg"],
)
async def test_what_is_no_picture_is_refused_and_costs_nothing(world: World, broken: bytes) -> None:
    world.provoked = (BadReference,)
    with pytest.raises(BadReference):
        await world.client.studio.intake.submit(
            Order("make it night"), place(world, 1), [Upload(broken)]
        )
    assert await world.generations() == []
    assert await world.usage(world.ann) is None
    assert left_in(world) == []


async def test_a_link_into_our_own_network_is_refused(world: World) -> None:
    with pytest.raises(BadReference):
        await world.client.studio.intake.submit(
            Order("make it night"), place(world, 1), [Linked(f"{world.painter.url}/v1/models")]
        )
    assert await world.generations() == []


@pytest.mark.parametrize("way", ["links", "attachments"])
async def test_what_many_people_bring_at_once_is_held_for_a_few(
    world: World, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    held: list[bytes] = []
    counts: list[int] = []

    async def fetch(_: str = LINK) -> bytes:
        held.append(picture())
        counts.append(len(held))
        await asyncio.sleep(0)
        return held[-1]

    async def read() -> Upload:
        return Upload(await fetch(), LINK)

    async def clean(data: bytes) -> Reference:
        await asyncio.sleep(0)
        held.pop()
        return Reference(data, MediaType.PNG, 96, 64)

    intake = world.client.studio.intake
    monkeypatch.setattr(intake._gatherer._links, "fetch", fetch)
    monkeypatch.setattr(intake._gatherer._references, "clean", clean)
    given = Linked(LINK) if way == "links" else Elsewhere(read)
    places = [place(world, number, person_id=9_000 + number) for number in range(8)]
    orders = (intake.submit(Order("make it night"), where, [given]) for where in places)
    assert all(submitted.fresh for submitted in await asyncio.gather(*orders))
    assert len(counts) == len(places)
    assert max(counts) == 2


async def test_what_is_refused_leaves_no_picture_behind(world: World) -> None:
    intake = world.client.studio.intake
    offered = world.client.studio.catalogue.offered()
    blind = next(model for model in offered if model.takes_references is Takes.NO)
    with pytest.raises(Refusal, match="can't work from pictures") as caught:
        await intake.submit(
            Order("make it night", model=blind.id), place(world, 1), [Upload(picture())]
        )
    assert " can." in caught.value.sentence, "it names models that do"
    assert left_in(world) == []


async def test_a_replay_keeps_one_copy(world: World) -> None:
    row = await paint(world, Order("make it night", count=1), place(world, 1), Upload(picture()))
    before = left_in(world)
    assert len(before) == 2, "what was painted, and what it was painted from"
    again = await world.client.studio.intake.submit(
        Order("make it night", count=1), place(world, 1), [Upload(picture())]
    )
    assert (again.fresh, again.generation.id) == (False, row.id)
    assert left_in(world) == before


@pytest.mark.parametrize("prompt", ["make it night", "{red|blue} fox"])
async def test_for_those_without_room_nothing_is_fetched(tmp_path: Path, prompt: str) -> None:
    async with open_world(tmp_path, user_images_per_day=3) as world:
        intake, asked = world.client.studio.intake, list[str]()
        given = [Elsewhere(partial(_fetched, asked, "ann's"))]
        full = await intake.submit(Order("a red fox", count=3), place(world, 1), given)
        assert asked == ["ann's"]
        door = intake.quote if prompt.startswith("{") else intake.submit
        with pytest.raises(AllowanceSpent, match="for today are spent"):
            await door(Order(prompt, count=1), place(world, 2), given)
        assert asked == ["ann's"], "it was fetched to be refused"
        again = await intake.submit(Order("a red fox", count=3), place(world, 1), given)
        assert (again.fresh, again.generation.id) == (False, full.generation.id)


async def test_whoever_brings_many_pictures_keeps_nobody_else_waiting(world: World) -> None:
    intake, asked, gate = world.client.studio.intake, list[str](), asyncio.Event()
    many = [Elsewhere(partial(_fetched, asked, "ann's", gate)) for _ in range(SOURCES_MAX)]
    first = asyncio.create_task(intake.submit(Order("all"), place(world, 1), many))
    await _in_line(world, SOURCES_MAX - 2)
    one = [Elsewhere(partial(_fetched, asked, "bob's", gate))]
    second = asyncio.create_task(intake.submit(Order("one"), place(world, 2, world.bob), one))
    await _in_line(world, SOURCES_MAX - 1)
    assert asked == ["ann's"] * 2, "two are held at once, and no more"
    gate.set()
    await asyncio.gather(first, second)
    assert asked[2] == "bob's"


async def test_more_pictures_than_the_usual_editor_takes_go_to_one_that_does(world: World) -> None:
    catalogue = world.client.studio.catalogue
    given = [Upload(picture(64, 64 + n)) for n in range(SOURCES_MAX)]
    row = await paint(world, Order("all of them", count=1), place(world, 1), *given)
    assert catalogue.get(row.model).works_from(SOURCES_MAX)
    assert [reference.size[1] for reference in sent(world)] == [64 + n for n in range(SOURCES_MAX)]
    with pytest.raises(Refusal, match="the most"):
        await world.client.studio.intake.submit(
            Order("too many"), place(world, 2), [*given, Upload(picture())]
        )


async def test_where_pictures_are_not_taken_their_links_are(world: World) -> None:
    world.painter._hand._data_uris = False
    row = await paint(
        world, Order("make it night", count=1), place(world, 1), Upload(picture(), LINK)
    )
    assert row.state == "delivered"
    assert world.painter.requests[-1].body["reference_images"] == [LINK]


async def test_a_refusal_of_something_else_is_no_reason_for_links(world: World) -> None:
    world.painter.faults.next(Fault(Kind.BAD_REQUEST))
    row = await paint(
        world, Order("make it night", count=1), place(world, 1), Upload(picture(), LINK)
    )
    assert row.state == "failed"
    assert "Input validation error" in row.failure
    [request] = world.painter.requests
    assert LINK not in str(request.body), "what was not made clean left the house"


async def test_where_neither_is_taken_it_is_given_back(world: World) -> None:
    world.painter._hand._data_uris = False
    row = await paint(world, Order("make it night", count=1), place(world, 1), Upload(picture()))
    assert row.state == "failed"
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved) == (0, 0)


async def test_who_may_edit_is_the_servers_decision(world: World) -> None:
    studio = world.client.studio
    first = await paint(world, Order("a red fox", count=1), place(world, 1))
    await studio.let_edit(world.guild.id, Editors.AUTHOR)
    given = [Ours(first.id, 1)]
    with pytest.raises(NotAllowed, match=str(world.ann.id)):
        await studio.intake.submit(Order("mine now"), place(world, 2, world.bob), given)
    assert (await studio.intake.submit(Order("still mine"), place(world, 3), given)).fresh


async def test_private_pictures_are_nobody_elses_to_work_from(world: World) -> None:
    first = await paint(world, Order("a secret fox", count=1, private=True), place(world, 1))
    with pytest.raises(NotFound):
        await world.client.studio.intake.submit(
            Order("mine now"), place(world, 2, world.bob), [Ours(first.id, 1)]
        )


async def test_sources_are_written_down_in_their_order(world: World) -> None:
    given = [Upload(picture(64, 64 + n)) for n in range(3)]
    row = await paint(world, Order("all of them", count=1), place(world, 1), *given)
    written = await world.client._database.read(
        lambda connection: connection.execute(
            select(sources).where(sources.c.generation_id == row.id).order_by(sources.c.position)
        ).all()
    )
    assert [source.position for source in written] == [1, 2, 3]
    assert [source.key for source in written] == list(Generation.from_row(row).order.keys)


def test_links_before_the_words_are_pictures() -> None:
    words, links = split_links("https://a.example/1.png <https://b.example/2.png> make it night")
    assert words == "make it night"
    assert [link.url for link in links] == ["https://a.example/1.png", "https://b.example/2.png"]
    assert split_links("a fox on https://a.example/1.png") == (
        "a fox on https://a.example/1.png",
        (),
    )
    assert split_links("https://a.example/1.png") == ("", (Linked("https://a.example/1.png"),))
    words, links = split_links("https://a.example/1.png <https://b.example/2.png>")
    assert (words, len(links)) == ("", 2), "the last is as much of a link as the first"


async def _fetched(asked: list[str], whose: str, gate: asyncio.Event | None = None) -> Upload:
    asked.append(whose)
    if gate is not None:
        await gate.wait()
    return Upload(picture())


async def _in_line(world: World, number: int) -> None:
    """Until so many wait for their turn to be fetched."""
    turns = world.client.studio.intake._gatherer._turns
    async with asyncio.timeout(10):
        while len(turns._waiting) != number:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


def left_in(world: World) -> list[str]:
    folder = world.tmp_path / "pictures"
    return sorted(str(file.relative_to(folder)) for file in folder.glob("[!.]*/*"))
