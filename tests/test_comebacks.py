"""A process stands still, wherever that may be; another takes over; and then the first goes on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest
import structlog
from life_books import Books
from life_ports import NONCE_S, Trouble, Weather
from life_world import LEASE_S, LifeWorld
from structlog.testing import capture_logs

from bot.imaging import recipe
from bot.imaging.request import COUNT_MAX
from bot.store.people import DAY_S, Limits
from bot.studio.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

NOON = 20_000.5 * DAY_S
ROOMY = Limits(per_day=100, per_minute=100, waiting=100)


@pytest.fixture
def world(tmp_path: Path) -> Generator[LifeWorld]:
    with LifeWorld(tmp_path, ROOMY, begins_at=NOON) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Course:
    """What happens besides.

    Attributes:
        away_s: for how long the first one stands still.
        weather: how Discord is before that; afterwards it is fine.
        shade: of the pictures that the second one gets; another one where it is not 0.
    """

    prompt: str = "a red fox"
    away_s: float = LEASE_S + 2
    weather: Weather = Weather.FINE
    shade: int = 0

    def run(self, world: LifeWorld, steps: int) -> bool:
        """True when the first one came to its end before it could stand still."""
        first = world.start()
        submitted = first.submit(Order(self.prompt, count=2), world.place(1, 1)).result()
        first.gate.shut_after(steps)
        first.begin(submitted.generation)
        world.discord.weather = self.weather
        answer_all(world)
        whole = not first.gate.shut
        world.discord.weather = Weather.FINE
        world.loop.leap(LEASE_S + 1)
        world.start()
        answer_all(world, self.shade)
        world.loop.leap(self.away_s - LEASE_S - 1)
        first.gate.reopen()
        world.loop.settle()
        return whole


def answer_all(world: LifeWorld, shade: int = 0) -> None:
    for call in world.api.waiting:
        world.api.answer(call, COUNT_MAX, shade=shade)
    world.loop.settle()


def everything(world: LifeWorld) -> list[str]:
    books = Books(world.file)
    [(key, row)] = books.generations().items()
    wrong = [*books.overspent(), *books.miscounted(), *books.changed(world.pictures)]
    parts = Order.from_json(row["request"]).parts
    for picture in books.rows("SELECT key, part FROM pictures"):
        painted = recipe.read((world.pictures / picture["key"]).read_bytes())
        if painted is None or painted.prompt != parts[picture["part"]].prompt:
            wrong.append(f"of {picture['key']} it is said: {parts[picture['part']].prompt}")
    books.close()
    if (row["state"], row["lease_until"]) != ("delivered", None):
        wrong.append(f"it is {row['state']}, with a lease until {row['lease_until']}")
    if (posted := len(world.discord.of(key))) != 1:
        wrong.append(f"it was posted {posted} times")
    return wrong


def first_tries(world: LifeWorld) -> list[str]:
    late = [seconds for seconds in world.discord.first_tries if seconds > LEASE_S]
    return [f"first tried after {seconds} s" for seconds in late]


def check(world: LifeWorld, course: Course, complaints: Callable[[LifeWorld], list[str]]) -> None:
    """Wherever the first one stood still, one step after the other."""
    found: dict[int, list[str]] = {}
    for steps in count():
        world.begin_anew()
        with capture_logs([structlog.processors.format_exc_info]) as log:
            whole = course.run(world, steps)
        raised = [str(line) for line in log if line["log_level"] == "error"]
        found[steps] = [*raised, *complaints(world)]
        world.bury_all()
        if whole:
            break
    assert len(found) > 10, "it had few steps to stand still after"
    wrong = {steps: why for steps, why in found.items() if why}
    assert not wrong, f"after so many steps: {wrong}"


@pytest.mark.parametrize("weather", [Weather.FINE, Weather.DEAF, Weather.AWAY])
def test_who_comes_back_changes_nothing(world: LifeWorld, weather: Weather) -> None:
    check(world, Course(weather=weather), everything)


def test_who_comes_back_late_looks_first_whether_it_was_posted(world: LifeWorld) -> None:
    """Whoever stood still in the very act of posting cannot; Discord knows nonces for minutes."""
    check(world, Course(away_s=2 * NONCE_S), first_tries)


def test_who_comes_back_with_other_pictures_overwrites_none(world: LifeWorld) -> None:
    check(world, Course(shade=1), everything)


def test_pictures_that_were_kept_before_keep_their_words(world: LifeWorld) -> None:
    check(world, Course(prompt="a {red|grey} fox"), everything)


def test_who_has_to_wait_for_discord_keeps_its_leases(world: LifeWorld) -> None:
    first = world.start()
    for number in (1, 2):
        submitted = first.submit(Order("a red fox", count=1), world.place(number, 1)).result()
        first.begin(submitted.generation)
    world.discord.weather = Weather.AWAY
    world.api.answer(world.api.waiting[0], Trouble.CONTENT)
    world.loop.settle()
    world.start()
    world.discord.weather = Weather.SLOW
    world.loop.live(4 * LEASE_S)
    answer_all(world)
    books = Books(world.file)
    assert [row["attempt"] for row in books.generations().values()] == [1, 1]
    books.close()


def test_nobody_waits_for_long_while_discord_is_asked_about_others(world: LifeWorld) -> None:
    first = world.start()
    painted = first.submit(Order("a red fox", count=1), world.place(1, 1)).result().generation
    first.begin(painted)
    world.discord.weather = Weather.AWAY
    answer_all(world)
    private = Order("a red fox", count=1, private=True)
    unsure = [first.submit(private, world.place(number, number)) for number in range(2, 10)]
    first.gate.shut_after(0)
    world.discord.weather = Weather.SLOW
    world.loop.leap(2 * LEASE_S)
    second = world.start()
    assert len(world.discord.of(painted.id)) == 1, "what is painted waits for nobody"
    world.loop.live(15)
    taken = [task.result().generation.id for task in unsure]
    assert all(map(second.work.has, taken)), "and nobody for every one before"
