"""Every button, pressed by a person, before and after the process was replaced by another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
import pytest

if TYPE_CHECKING:
    from world import World


@pytest.fixture(params=[False, True], ids=["same process", "after a restart"])
async def painted(request: Any, world: World) -> World:
    """A channel with one result of four pictures by ann."""
    await world.imagine(seed=5)
    if request.param:
        await world.restart()
    return world


def last(answer: Any) -> Any:
    return answer.followups[-1] if answer.followups else answer.response


async def test_a_number_opens_the_panel_of_that_picture(painted: World) -> None:
    [result] = painted.results()
    for number in "1234":
        answer = await painted.bob.click(result, label=number)
        panel = last(answer)
        assert panel.ephemeral
        assert panel.content.startswith(f"Picture {number} of 4")
        [file] = panel.attachments
        assert file.filename.endswith(f"-{number}.jpg")
        assert await file.read() == await result.attachments[int(number) - 1].read()


async def test_post_alone(painted: World) -> None:
    [result] = painted.results()
    panel = last(await painted.bob.click(result, label="3"))
    done = await painted.bob.click(panel, label="Post alone")
    alone = painted.results()[-1]
    assert alone.id != result.id
    [file] = alone.attachments
    assert await file.read() == await result.attachments[2].read()
    assert file.description.startswith("Picture 3 of 4. AI-generated")
    assert "`a red fox in fresh snow`" in alone.content
    assert last(done).ephemeral


async def test_details_tell_every_parameter_and_a_line_to_paste(painted: World) -> None:
    [result] = painted.results()
    panel = last(await painted.bob.click(result, label="1"))
    details = last(await painted.bob.click(panel, label="Details"))
    assert details.ephemeral
    for told in ("FLUX.2 [pro]", "1024×1024", "**Seed:** 5", "/show", "about $0.12"):
        assert told in details.content
    assert (
        "/imagine prompt:a red fox in fresh snow model:black-forest-labs/FLUX.2-pro count:4 seed:5"
    ) in details.content


async def test_reroll_paints_anew_and_charges_who_pressed(painted: World) -> None:
    [result] = painted.results()
    await painted.bob.click(result, label="Reroll")
    again = painted.results()[-1]
    assert again.id != result.id
    assert len(again.attachments) == 4
    assert painted.bob.mention in again.content
    assert (await painted.usage(painted.bob)).day_used == 4
    assert (await painted.usage(painted.ann)).day_used == 4
    first, second = await painted.generations()
    assert first.seed != second.seed


async def test_delete_is_for_the_asker(painted: World) -> None:
    [result] = painted.results()
    refused = await painted.bob.click(result, label="Delete")
    assert last(refused).ephemeral
    assert "can delete it" in last(refused).content
    assert painted.results(), "somebody else's press deletes nothing"
    await painted.ann.click(result, label="Delete")
    assert painted.results() == []


async def test_delete_is_for_moderators_too(painted: World) -> None:
    moderators = painted.guild.create_role(
        "moderators", permissions=discord.Permissions(manage_messages=True)
    )
    mod = painted.guild.add_member(painted.env.create_user("mod"), roles=[moderators])
    await mod.click(painted.results()[0], label="Delete")
    assert painted.results() == []


async def test_buttons_of_what_is_not_there_any_more_say_so(painted: World) -> None:
    [result] = painted.results()
    for file in (painted.tmp_path / "pictures").rglob("*.jpg"):
        file.unlink()
    answer = await painted.bob.click(result, label="1")
    assert last(answer).ephemeral
    assert "no longer in the archive" in last(answer).content


async def test_history_pages_and_shows(painted: World) -> None:
    for number in range(7):
        await painted.imagine(prompt=f"picture number {number}", count=1)
    page = await painted.ann.slash(painted.channel, "history")
    assert page.ephemeral
    lines = page.response.content.splitlines()
    assert len(lines) == 6
    assert "picture number 6" in lines[0], "the newest comes first"
    assert "/channels/" in lines[0], "with a link to its message"
    [sheet] = page.response.attachments
    assert "picture number 6" in sheet.description
    older = await painted.ann.click(page.response, label="Older")
    assert older.acknowledged
    assert "a red fox in fresh snow" in page.response.content
    assert len(page.response.content.splitlines()) == 2
    await painted.ann.click(page.response, label="Newest")
    assert "picture number 6" in page.response.content
    first = (await painted.generations())[0]
    shown = await painted.ann.slash(painted.channel, "show", id=first.id)
    assert last(shown).ephemeral
    assert len(last(shown).attachments) == 4
    newest = (await painted.generations())[-1]
    chosen = await painted.ann.select(page.response, values=[newest.id])
    assert "picture number 6" in last(chosen).content


async def test_history_of_one_who_has_none(world: World) -> None:
    page = await world.bob.slash(world.channel, "history")
    assert page.ephemeral
    assert "Nothing here yet" in page.response.content


async def test_limits_of_ones_own(painted: World) -> None:
    answer = await painted.ann.slash(painted.channel, "limits")
    assert answer.ephemeral
    assert "96 pictures of 100 left" in answer.response.content
    assert "0 requests; at most 8 at once" in answer.response.content
