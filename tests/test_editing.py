"""Pictures from pictures by buttons and forms: which are sent, and what is charged."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import alike, check_sent, last, png, references
from PIL import Image

from bot.imaging.catalogue import Catalogue
from bot.imaging.model import Role, Takes
from bot.store.schema import Editors
from bot.studio import painting
from bot.studio.order import PROMPT_MAX
from bot.views import FORMS
from bot.views.edit_form import EditForm, Purpose
from bot.views.options import model_menu
from bot.views.wording import CONTENT_MAX

if TYPE_CHECKING:
    import simcord
    from world import World

RED, BLUE = png("red", 300, 200), png("blue", 96, 160)
GREEN, WHITE = png("green"), png("white", 64, 64)

CATALOGUE = Catalogue.load()
USUAL, DEV = CATALOGUE.for_role(Role.EDIT).id, "black-forest-labs/FLUX.2-dev"
ANOTHER = CATALOGUE.get("black-forest-labs/FLUX.1-kontext-pro")
BLIND = next(m for m in CATALOGUE.offered() if m.takes_references is Takes.NO)


@pytest.fixture
async def painted(world: World) -> World:
    """A channel with one result of two pictures by ann; the process was replaced since."""
    await world.imagine(seed=5, count=2)
    await world.restart()
    return world


async def files_of(message: Any) -> list[bytes]:
    return [await file.read() for file in message.attachments]


def items(form: Any) -> dict[str, Any]:
    """What is in a form, by custom_id."""
    labels = form.modal["components"]
    return {label["component"]["custom_id"]: label["component"] for label in labels}


async def panel(world: World, number: int, who: simcord.MemberActor | None = None) -> Any:
    [result] = world.results()
    return last(await (who or world.ann).click(result, label=str(number)))


async def test_the_form_of_a_result_asks_which(painted: World) -> None:
    [result] = painted.results()
    form = await painted.bob.click(result, label="Edit…")
    asked = items(form)
    assert list(asked) == ["which", "words", "model", "more"]
    assert [option["label"] for option in asked["which"]["options"]] == [
        f"Picture {number}" for number in (1, 2)
    ]
    [usual, *_] = asked["model"]["options"]
    assert (usual["value"], usual["default"]) == (USUAL, True)
    done = await painted.bob.submit_modal(form, {"which": ["1"], "words": "make it night"})
    assert done.acknowledged
    first, second = await files_of(result)
    check_sent(painted, second)
    assert not alike(references(painted)[0], first), "they can be told apart"
    edit = painted.results()[-1]
    assert len(edit.attachments) == 1
    assert painted.bob.mention in edit.content
    assert (await painted.usage(painted.bob)).day_used == 1
    assert painted.painter.requests[-1].body["model"] == USUAL


async def test_models_that_take_no_pictures_come_last_with_the_reason(painted: World) -> None:
    [result] = painted.results()
    for form in (
        await painted.bob.click(result, label="Edit…"),
        await painted.bob.click(await panel(painted, 1, painted.bob), label="Use as reference"),
    ):
        options = items(form)["model"]["options"]
        able = [CATALOGUE.get(each["value"]).works_from(1) for each in options]
        assert sum(able) == len(CATALOGUE.editors(1)), "no editor is left out"
        assert able == sorted(able, reverse=True)
        assert len(able) == 25
        told = [str(each.get("description")).endswith("work from pictures") for each in options]
        assert told == [not each for each in able]
        assert [each["value"] for each in options if each.get("default")] == [USUAL]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_model_that_takes_no_pictures_is_refused_and_the_words_come_back(
    painted: World, *, restarted: bool
) -> None:
    form = await painted.bob.click(await panel(painted, 1, painted.bob), label="Edit…")
    if restarted:
        await painted.restart()
    values = {"words": "make it night", "model": [BLIND.id]}
    answer = await painted.bob.submit_modal(form, values)
    assert last(answer).ephemeral
    names = [model.name for model in CATALOGUE.editors(1)[:3]]
    assert last(answer).content == (
        f"{BLIND.name} can't work from pictures. {names[0]}, {names[1]} and {names[2]} can. "
        "You had written:\n```\nmake it night\n```"
    )
    await check_only_painted(painted)


async def test_a_model_that_takes_fewer_pictures_than_are_added_is_refused(painted: World) -> None:
    form = await painted.bob.click(await panel(painted, 1, painted.bob), label="Edit…")
    values = {"words": "W" * PROMPT_MAX, "model": [ANOTHER.id], "more": [("a.png", BLUE)]}
    answer = await painted.bob.submit_modal(form, values)
    assert f"{ANOTHER.name} works from 1 picture, not from 2." in last(answer).content
    assert len(last(answer).content) == CONTENT_MAX, "as much of the words as there is room for"
    assert last(answer).content.endswith("W…\n```")
    await check_only_painted(painted)


async def check_only_painted(painted: World) -> None:
    """Nothing came, or was charged, since."""
    assert len(painted.painter.requests) == 1
    assert len(await painted.generations()) == 1
    assert await painted.usage(painted.bob) is None


async def test_when_all_that_edit_are_away_no_model_is_asked_for(painted: World) -> None:
    for model in CATALOGUE.editors(1):
        painted.client.studio.catalogue.mark_away(model.id)
    form = await painted.bob.click(await panel(painted, 1, painted.bob), label="Edit…")
    assert list(items(form)) == ["words", "more"]


async def test_the_panel_edits_its_own_picture(painted: World) -> None:
    form = await painted.bob.click(await panel(painted, 2, painted.bob), label="Edit…")
    assert "which" not in items(form)
    words = {"words": "make it night", "model": [ANOTHER.id]}
    await painted.bob.submit_modal(form, words)
    check_sent(painted, (await files_of(painted.results()[0]))[1])
    assert painted.painter.requests[-1].body["model"] == ANOTHER.id


async def test_a_picture_is_a_reference_for_a_new_one(painted: World) -> None:
    form = await painted.ann.click(await panel(painted, 1), label="Use as reference")
    assert form.modal["components"][0]["label"] == "What should the new picture show?"
    await painted.ann.submit_modal(form, {"words": "the fox of image 1 on a train"})
    check_sent(painted, (await files_of(painted.results()[0]))[0])
    assert len(painted.results()[-1].attachments) == 4, "a new picture is a choice again"


async def test_more_pictures_come_after_the_first(world: World) -> None:
    await world.imagine(count=1)
    form = await world.ann.click(await panel(world, 1), label="Edit…")
    more = [("a.png", BLUE), ("b.png", GREEN)]
    await world.ann.submit_modal(form, {"words": "image 2 on image 1", "more": more})
    [first] = await files_of(world.results()[0])
    check_sent(world, first, BLUE, GREEN)


async def test_a_form_with_a_file_that_is_no_picture(world: World) -> None:
    await world.imagine(count=1)
    form = await world.ann.click(await panel(world, 1), label="Edit…")
    values = {"words": "image 2 on image 1", "more": [("a.png", b"no picture")]}
    answer = await world.ann.submit_modal(form, values)
    assert last(answer).ephemeral
    assert "I can't tell what that file is" in last(answer).content
    assert len(world.painter.requests) == 1
    assert (await world.usage(world.ann)).day_used == 1


async def test_two_people_fill_in_the_form_of_the_same_picture(world: World) -> None:
    await world.imagine(count=2)
    [result] = world.results()
    forms = [await who.click(result, label="Edit…") for who in (world.ann, world.bob)]
    assert forms[0].modal["custom_id"] != forms[1].modal["custom_id"]
    await world.ann.submit_modal(forms[0], {"which": ["0"], "words": "make it night"})
    await world.bob.submit_modal(forms[1], {"which": ["1"], "words": "make it snow"})
    by = {row.person_id: row.prompt for row in (await world.generations())[1:]}
    assert by == {world.ann.id: "make it night", world.bob.id: "make it snow"}


@pytest.mark.parametrize("label", ["Vary subtly", "Vary strongly"])
async def test_variations_of_one(painted: World, label: str) -> None:
    await painted.bob.click(await panel(painted, 2, painted.bob), label=label)
    check_sent(painted, (await files_of(painted.results()[0]))[1])
    said = str(painted.painter.requests[-1].body["prompt"])
    assert ("small details" in said) is (label == "Vary subtly")
    assert "a red fox in fresh snow" in said
    assert len(painted.results()[-1].attachments) == 4
    assert (await painted.usage(painted.bob)).day_used == 4


async def test_a_variation_of_each(painted: World) -> None:
    [result] = painted.results()
    await painted.bob.click(result, label="Vary all")
    sent = [references(painted, request)[0] for request in (-1, -2)]
    for original in await files_of(result):
        assert [alike(one, original) for one in sent].count(True) == 1, "each is varied once"
    assert len(painted.results()[-1].attachments) == 2
    assert (await painted.usage(painted.bob)).day_used == 2


async def test_one_picture_needs_no_button_for_all(world: World) -> None:
    await world.imagine(count=1)
    labels = [i.label for row in world.results()[0].components for i in row.children]
    assert labels[0] == "1"
    assert "Edit…" in labels
    assert "Vary all" not in labels


async def test_what_comes_of_a_private_picture_is_private(world: World) -> None:
    private = await world.imagine(private=True, count=1)
    opened = last(await world.ann.click(private.response, label="1"))
    form = await world.ann.click(opened, label="Edit…")
    edited = await world.ann.submit_modal(form, {"words": "make it night"})
    varied = await world.ann.click(opened, label="Vary subtly")
    assert world.results() == []
    assert len(last(edited).attachments) == 1
    assert len(last(varied).attachments) == 4


async def test_nobody_writes_in_vain_where_only_the_author_may_edit(world: World) -> None:
    await world.imagine(count=2)
    await world.client.studio.let_edit(world.guild.id, Editors.AUTHOR)
    [result] = world.results()
    opened = await panel(world, 1, world.bob)
    for message, label in (
        (result, "Edit…"),
        (opened, "Edit…"),
        (opened, "Use as reference"),
        (result, "Vary all"),
        (opened, "Vary strongly"),
    ):
        refused = await world.bob.click(message, label=label)
        assert refused.modal is None, label
        assert last(refused).ephemeral
        assert f"only {world.ann.mention}" in last(refused).content
    assert (await world.ann.click(result, label="Edit…")).modal
    assert len(world.painter.requests) == 1


async def test_what_was_brought_along_is_not_for_others_where_only_the_author_may_edit(
    world: World,
) -> None:
    await world.ann.slash(world.channel, "edit", prompt="make it night", image=("me.png", RED))
    await world.client.studio.let_edit(world.guild.id, Editors.AUTHOR)
    [result] = world.results()
    refused = [await world.bob.click(result, label="Reroll")]
    form = await world.bob.click(result, label="Remix…")
    values = {"prompt": "make it dawn", "model": [USUAL], "shape": ["square"]}
    refused.append(await world.bob.submit_modal(form, values))
    for answer in refused:
        assert last(answer).ephemeral
        assert f"only {world.ann.mention}, who did so, can" in last(answer).content
    assert len(world.painter.requests) == 1
    assert await world.usage(world.bob) is None
    await world.ann.click(result, label="Reroll")
    check_sent(world, RED)
    assert len(world.painter.requests) == 2


async def test_where_only_links_are_taken_buttons_send_those_of_their_message(
    painted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Before each is sent once more; other tests see to it that it is long enough.
    monkeypatch.setattr(painting, "_PAUSE_AFTER_REFUSAL_S", 0.01)
    painted.painter.terms.pacing = False
    [result] = painted.results()
    first, second = [file.url for file in result.attachments]
    opened = await panel(painted, 2)
    alone = opened.attachments[0].url
    painted.painter._hand._data_uris = False
    values = {"which": ["1"], "words": "make it night"}
    await painted.ann.submit_modal(await painted.ann.click(result, label="Edit…"), values)
    assert await links_sent(painted) == {second}
    for label in ("Edit…", "Use as reference"):
        form = await painted.ann.click(opened, label=label)
        await painted.ann.submit_modal(form, {"words": "make it night"})
        assert await links_sent(painted) == {alone}, label
    await painted.ann.click(opened, label="Vary subtly")
    assert await links_sent(painted) == {alone}
    await painted.ann.click(result, label="Vary all")
    assert await links_sent(painted) == {first, second}


async def links_sent(world: World) -> set[Any]:
    """The links that what was asked for last was painted from."""
    async with asyncio.timeout(30):
        while world.client.studio._work.busy:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    bodies: list[Any] = [each.body for each in world.painter.requests]
    world.painter.requests.clear()
    sent = {link for body in bodies for link in body.get("reference_images", ())}
    return {link for link in sent if link.startswith("https:")}


# Forms and restarts


async def test_a_form_opened_before_a_restart_is_taken_in_after_it(world: World) -> None:
    await world.imagine(count=2)
    [result] = world.results()
    form = await world.bob.click(result, label="Edit…")
    await world.restart()
    values = {
        "which": ["1"],
        "words": "make it night",
        "model": [DEV],
        "more": [("a.png", BLUE)],
    }
    done = await world.bob.submit_modal(form, values)
    assert done.acknowledged, "silence"
    check_sent(world, (await files_of(result))[1], BLUE)
    assert world.painter.requests[-1].body["model"] == DEV
    assert "`make it night`" in world.results()[-1].content


async def test_a_form_for_a_new_picture_remembers_what_it_is_for(world: World) -> None:
    await world.imagine(count=1)
    form = await world.ann.click(await panel(world, 1), label="Use as reference")
    await world.restart()
    await world.ann.submit_modal(form, {"words": "the fox of image 1 on a train"})
    assert len(world.results()[-1].attachments) == 4


async def test_a_form_is_taken_in_once_alone(world: World) -> None:
    await world.imagine(count=1)
    form = await world.ann.click(await panel(world, 1), label="Edit…")
    done = await world.ann.submit_modal(form, {"words": "make it night"})
    assert len(await world.generations()) == 2
    assert not [said for said in done.followups if "open it once more" in said.content]


async def test_a_refusal_after_a_restart_is_told(world: World) -> None:
    await world.imagine(count=1)
    form = await world.bob.click(await panel(world, 1, world.bob), label="Edit…")
    await world.restart()
    await world.client.studio.let_edit(world.guild.id, Editors.AUTHOR)
    answer = await world.bob.submit_modal(form, {"words": "make it night"})
    assert last(answer).ephemeral
    assert f"only {world.ann.mention}" in last(answer).content


async def test_an_edit_of_a_result_whose_message_is_gone(world: World) -> None:
    await world.imagine(count=1)
    [result] = world.results()
    [original] = await files_of(result)
    opened = await panel(world, 1)
    await world.ann.click(result, label="Delete")
    for file in result.attachments:
        del world.env.backend.cdn._blobs[file.url]
    form = await world.ann.click(opened, label="Edit…")
    await world.ann.submit_modal(form, {"words": "make it night"})
    check_sent(world, original)


def test_forms_are_known_by_ids_that_no_other_form_has() -> None:
    examples = [f"form:{purpose}:0123456789:{'12345678'}:{2**64}" for purpose in Purpose]
    for example in examples:
        assert len(example) <= 100
        assert [form for form in FORMS if form.template.fullmatch(example)] == [EditForm]


def test_a_form_fits_into_discords_limits() -> None:
    models = model_menu(CATALOGUE, 1, CATALOGUE.get(USUAL))
    for purpose in Purpose:
        form = EditForm(purpose, [], models).to_dict()
        assert len(form["title"]) <= 45
        assert len(form["components"]) <= 5
        for label in form["components"]:
            assert len(label["label"]) <= 45
            assert len(label.get("description") or "") <= 100
            for option in label["component"].get("options", ()):
                assert 1 <= len(option["label"]) <= 100
                assert len(option.get("description") or "") <= 100


def test_the_pictures_of_these_tests_differ() -> None:
    pictures = [RED, BLUE, GREEN, WHITE]
    for one in pictures:
        assert [alike(Image.open(BytesIO(one)), other) for other in pictures].count(True) == 1
