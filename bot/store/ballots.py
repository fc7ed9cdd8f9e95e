"""What people cast and suggest. The rules are the studio's; these keep one ballot a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, delete, func, select, update
from sqlalchemy.dialects import sqlite

from bot.store.vote_schema import Stage, backings, ballots, candidates, suggestions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

# Statements are built once: to build one takes ten times as long as to run it.
_ITS = ballots.c.round_id == bindparam("the_round")
_ONES_OWN = select(ballots).where(
    _ITS, ballots.c.stage == bindparam("the_stage"), ballots.c.person_id == bindparam("the_person")
)
_new = sqlite.insert(ballots)
_CAST = _new.on_conflict_do_update(
    index_elements=["round_id", "stage", "person_id"],
    set_={name: _new.excluded[name] for name in ("position", "press_id", "cast_at")},
    # Events may come twice, and late: the last press counts.
    where=_new.excluded.press_id > ballots.c.press_id,
)
_CANDIDATES = (
    select(candidates)
    .where(candidates.c.round_id == bindparam("the_round"))
    .order_by(candidates.c.position)
)
_TALLY = (
    select(ballots.c.stage, ballots.c.position, func.count())
    .where(_ITS, ballots.c.position.is_not(None))
    .group_by(ballots.c.stage, ballots.c.position)
)
_suggested = sqlite.insert(suggestions)
_SUGGEST = _suggested.on_conflict_do_update(
    index_elements=["round_id", "person_id"], set_={"words": _suggested.excluded.words}
)
_back = sqlite.insert(backings)
_BACK = _back.on_conflict_do_update(
    index_elements=["round_id", "person_id"], set_={"backs": _back.excluded.backs}
)
_BACK_FIRST = sqlite.insert(backings).on_conflict_do_nothing()
_BACKED_BY = select(backings.c.backs).where(
    backings.c.round_id == bindparam("the_round"),
    backings.c.person_id == bindparam("the_person"),
)
_SUGGESTED = (
    select(suggestions, func.count(backings.c.person_id).label("backers"))
    .outerjoin(
        backings,
        (backings.c.round_id == suggestions.c.round_id)
        & (backings.c.backs == suggestions.c.person_id),
    )
    .where(suggestions.c.round_id == bindparam("the_round"))
    .group_by(*suggestions.c)
)
_WORDS = select(suggestions.c.words).where(
    suggestions.c.round_id == bindparam("the_round"),
    suggestions.c.person_id == bindparam("the_person"),
)


def own(connection: Connection, round_id: str, stage: Stage, person_id: int) -> Row[Any] | None:
    """The ballot of one person."""
    whose = {"the_round": round_id, "the_stage": stage, "the_person": person_id}
    return connection.execute(_ONES_OWN, whose).one_or_none()


def cast(
    connection: Connection,
    round_id: str,
    stage: Stage,
    person_id: int,
    position: int | None,
    *,
    press_id: int,
    now: float,
) -> None:
    """Puts a ballot in place of an earlier one; `None` takes it back."""
    connection.execute(
        _CAST,
        {
            "round_id": round_id,
            "stage": stage,
            "person_id": person_id,
            "position": position,
            "press_id": press_id,
            "cast_at": now,
        },
    )


def candidates_of(connection: Connection, round_id: str) -> Sequence[Row[Any]]:
    return connection.execute(_CANDIDATES, {"the_round": round_id}).all()


def tallies(connection: Connection, round_id: str) -> dict[Stage, dict[int, int]]:
    """The votes for each candidate that stands in a stage, none included."""
    standing = candidates_of(connection, round_id)
    counted: dict[Stage, dict[int, int]] = {
        Stage.OPEN: {row.position: 0 for row in standing},
        Stage.RUNOFF: {row.position: 0 for row in standing if row.in_runoff},
    }
    for stage, position, count in connection.execute(_TALLY, {"the_round": round_id}):
        counted[Stage(stage)][position] = count
    return counted


def suggest(connection: Connection, round_id: str, person_id: int, words: str, now: float) -> None:
    """Writes a suggestion down, or another one in its place; its author is for it at first."""
    told = {"round_id": round_id, "person_id": person_id}
    connection.execute(_SUGGEST, told | {"words": words, "made_at": now})
    connection.execute(_BACK_FIRST, told | {"backs": person_id})


def pass_on(connection: Connection, round_id: str, author_id: int, heir_id: int | None) -> None:
    """Others who were for somebody's suggestion are for the heir's; without one, for none."""
    theirs = (
        backings.c.round_id == round_id,
        backings.c.backs == author_id,
        backings.c.person_id != author_id,
    )
    if heir_id is None:
        connection.execute(delete(backings).where(*theirs))
    else:
        connection.execute(update(backings).where(*theirs).values(backs=heir_id))


def back(connection: Connection, round_id: str, person_id: int, author_id: int) -> None:
    """Is for the suggestion of `author_id`, and for no other one any more."""
    told = {"round_id": round_id, "person_id": person_id, "backs": author_id}
    connection.execute(_BACK, told)


def take_off(connection: Connection, round_id: str, author_ids: Collection[int]) -> None:
    """Takes suggestions off the list; those who are for them are for none any more."""
    connection.execute(
        delete(backings).where(backings.c.round_id == round_id, backings.c.backs.in_(author_ids))
    )
    connection.execute(
        delete(suggestions).where(
            suggestions.c.round_id == round_id, suggestions.c.person_id.in_(author_ids)
        )
    )


def suggested(connection: Connection, round_id: str) -> Sequence[Row[Any]]:
    """The suggestions, each with its `backers`."""
    return connection.execute(_SUGGESTED, {"the_round": round_id}).all()


def words_of(connection: Connection, round_id: str, person_id: int) -> str | None:
    """What somebody has suggested."""
    whose = {"the_round": round_id, "the_person": person_id}
    return connection.scalar(_WORDS, whose)


def backed_by(connection: Connection, round_id: str, person_id: int) -> int | None:
    """Whose suggestion somebody is for."""
    whose = {"the_round": round_id, "the_person": person_id}
    return connection.scalar(_BACKED_BY, whose)
