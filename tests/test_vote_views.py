"""Discord's limits hold for everything of a vote, and what matters of it is never cut off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_views import CATALOGUE, STUDIO, check_layout, generation, hostile, pictures, texts

from bot.imaging.request import SEED_MAX, Size, clean_text
from bot.store.schema import PICTURES_MAX
from bot.studio.casting import SUGGESTIONS_MAX, Cast
from bot.studio.contest import Board, Contest, Finale, Listed, Round
from bot.studio.generation import Shown
from bot.studio.order import PROMPT_MAX, Lineage, Order, Source, Variation
from bot.studio.outcomes import Quote
from bot.studio.votes import SUGGESTION_MAX, Proposal
from bot.studio.voting import ROUNDS_MAX, SEED_LIMIT, Rules, Stage, Suggestion
from bot.studio.wish import About, Wish
from bot.views.ballot import ballot_buttons, ballot_text, cast_text, how_it_won
from bot.views.base import Layout
from bot.views.confirm import Leave
from bot.views.proposal import StartVote, proposal_text
from bot.views.standing import name_of, standing_text
from bot.views.suggesting import Back, SuggestForm, suggestion_lines
from bot.views.vote_form import VoteForm
from bot.views.winner import ascent_alt_text, winner_buttons, winner_text
from bot.views.wording import ALT_TEXT_MAX, CHOICE_MAX, CONTENT_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What acts if it stands outside of code: of the hostile texts, a part of each.
ACTING = ("@everyone", "example.com", "spoiler", "big", "gone", "</imagine", "three", "WWWW", "🦊")
KINDS = ["", "models", "changes", "combinations"]
SNOWFLAKE = 2**63 - 1
CLOSES_AT = 1_900_000_000
MILLIONS = 9_876_543

words = st.one_of(texts, hostile)
suggested = words.map(lambda text: clean_text(text[:SUGGESTION_MAX]))
counts = st.one_of(st.integers(0, 3), st.just(MILLIONS))
stages = st.sampled_from(Stage)


def candidates(prompt: str, count: int, kind: str) -> Shown:
    """Pictures that are told apart by what is the longest to say of them."""
    made = generation(prompt)
    order, models = made.order, [model.id for model in CATALOGUE.offered()]
    names = sorted(models, key=lambda id_: len(CATALOGUE.get(id_).name), reverse=True)
    match kind:
        case "models":
            order = replace(order, models=tuple(names[:count]))
        case "changes":
            lineage = Lineage(prompt, (SNOWFLAKE, SNOWFLAKE - 1), step=9)
            changes = tuple(f"{n} {prompt[:SUGGESTION_MAX]}" for n in range(count))
            source = Source("k", Size(8, 8))
            more: dict[str, Any] = {"lineage": lineage, "sources": (source,), "count": count}
            order = replace(order, changes=changes, variation=Variation.STRONG, **more)
        case "combinations":
            ways = "|".join(f"{n} {'W' * 200}" for n in range(count))
            order = replace(order, prompt=f"a fox {{{ways}}}")
    kept = tuple(
        replace(each, part=n if len(order.parts) > 1 else 0, model=names[n])
        for n, each in enumerate(pictures(count))
    )
    return Shown(replace(made, order=order, round_id="0123456789"), kept)


@st.composite
def boards(draw: st.DrawFn, stage: Stage | None = None) -> Board:
    """Anything that a ballot can be, with as much in it as there can be."""
    stage, count = stage or draw(stages), draw(st.integers(1, PICTURES_MAX))
    prompt = draw(words)
    shown = candidates(prompt, count, draw(st.sampled_from(KINDS)))
    standing = range(1, count + 1)
    tallies = {
        Stage.OPEN: {position: draw(counts) for position in standing},
        Stage.RUNOFF: {},
    }
    if stage is Stage.RUNOFF or draw(st.booleans()):
        tallies[Stage.RUNOFF] = {position: draw(counts) for position in standing}
    won = stage in (Stage.BETWEEN, Stage.DECIDED, Stage.OVER) and draw(st.booleans())
    winner = count if won or stage is Stage.BETWEEN else None
    said = draw(st.lists(suggested, max_size=SUGGESTIONS_MAX)) if winner else []
    rules = Rules(
        7 * 24 * 60 * 60,
        rounds=ROUNDS_MAX,
        secret=draw(st.booleans()),
        voters_role=draw(st.sampled_from([None, SNOWFLAKE])),
        opener_votes=draw(st.booleans()),
    )
    ending = draw(st.sampled_from([None, "It may not be painted: " + "so " * 60]))
    return Board(
        contest(rules, ending),
        Round(
            id="0123456789",
            contest_id="0123456789",
            number=4,
            stage=stage,
            seed=SEED_LIMIT - 1,
            message_id=SNOWFLAKE,
            opened_at=1.8e9,
            closes_at=float(CLOSES_AT),
            extended=draw(st.booleans()),
            winner=winner,
            drawn=winner is not None and bool(tallies[Stage.RUNOFF]) and draw(st.booleans()),
            announced_id=None,
        ),
        shown,
        tallies,
        suggestions(said),
    )


def contest(rules: Rules, ending: str | None = None, **changed: Any) -> Contest:
    values: dict[str, Any] = {
        "id": "0123456789",
        "interaction_id": SNOWFLAKE,
        "opener_id": SNOWFLAKE,
        "server_id": SNOWFLAKE,
        "channel_id": SNOWFLAKE,
        "application_id": 1,
        "file_limit": 1,
        "reply_to": None,
        "rules": rules,
        "created_at": 1.8e9,
        "ended_at": None,
        "ending": ending,
    }
    return Contest(**values | changed)


def suggestions(said: Sequence[str]) -> tuple[Suggestion, ...]:
    return tuple(
        Suggestion(SNOWFLAKE - n, each, MILLIONS - n, 1.8e9 + n) for n, each in enumerate(said)
    )


def check_text(text: str) -> None:
    assert 1 <= len(text) <= CONTENT_MAX
    for line in text.splitlines():
        assert line.count("`") % 2 == 0, f"its code is left open: {line}"
        outside = "".join(line.split("`")[::2])
        for each in ACTING:
            assert each not in outside, f"{each} acts: {line}"


@settings(max_examples=150)
@given(board=boards())
def test_a_ballot_fits_into_a_message_and_says_what_matters(board: Board) -> None:
    text, one = ballot_text(STUDIO, board), board.round
    check_text(text)
    assert text.startswith(("**Vote, round 4 of 5", "**Runoff, round 4 of 5"))
    if one.stage.votes:
        assert f"It closes <t:{CLOSES_AT}:R>, at <t:{CLOSES_AT}:t>." in text, "when it closes"
        if board.contest.rules.secret and board.turnout:
            assert "stays secret until the end" in text
    elif one.winner is not None:
        assert f"**Picture {one.winner} wins** " in text, "who has won"
    if one.stage is Stage.BETWEEN:
        assert f"round 5 begins <t:{CLOSES_AT}:R>" in text, "until when one can suggest"


@settings(max_examples=150)
@given(board=boards())
def test_the_buttons_of_a_ballot_in_every_stage(board: Board) -> None:
    layout = ballot_buttons(board)
    check_layout(layout)
    labels = [item.get("label", "") for row in layout.to_components() for item in row["components"]]
    if board.round.stage.votes:
        assert len(labels) == len(board.tally) + 1, "a number for each that stands, and the close"
        if board.contest.rules.secret:
            assert not any("vote" in label for label in labels[:-1]), "the counts stay secret"


@settings(max_examples=100)
@given(board=boards(Stage.OPEN))
def test_whoever_painted_what_is_not_told_while_people_vote(board: Board) -> None:
    if board.shown.generation.order.compares_models:
        text = ballot_text(STUDIO, board)
        for picture in board.shown.pictures:
            assert STUDIO.model_name(board.shown.generation, picture) not in text
        assert "Which model painted which one is told when the vote is closed." in text


@settings(max_examples=100)
@given(board=boards(Stage.DECIDED), told=st.integers(1, ROUNDS_MAX))
def test_a_winner_fits_into_a_message_and_says_who_has_won(board: Board, told: int) -> None:
    won = replace(board, round=replace(board.round, winner=1))
    rounds = tuple(replace(won, round=replace(won.round, number=n + 1)) for n in range(told))
    text = winner_text(STUDIO, Finale(rounds))
    check_text(text)
    first, second, *_ = text.splitlines()
    assert first.startswith("**The vote has a winner:** `")
    asker = f"<@{won.shown.generation.person_id}>"
    assert second == f"Asked for by {asker}. It won {how_it_won(rounds[-1])}."
    assert 1 <= len(ascent_alt_text(Finale(rounds))) <= ALT_TEXT_MAX


@settings(max_examples=60)
@given(said=st.lists(suggested, max_size=SUGGESTIONS_MAX))
def test_suggestions_are_listed_and_all_of_them_can_be_backed(said: list[str]) -> None:
    made = suggestions(said)
    check_text("\n".join(["x", *suggestion_lines(made)]))
    if made:
        check_layout(Layout(Back("0123456789", made)))
        options = Back("0123456789", made).item.options
        assert [option.value for option in options] == [str(each.person_id) for each in made]
        assert all(1 <= len(option.description or "") <= CHOICE_MAX for option in options)


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u2003", "\n\u200d\u00a0 \u2028"])
def test_what_is_all_space_is_no_suggestion(space: str) -> None:
    assert clean_text(space) == "", "Discord takes no menu with an option of spaces"
    assert clean_text(f"{space}make it\u00a0night{space}") == "make it\u00a0night"


@settings(max_examples=100)
@given(
    prompt=words,
    notes=st.integers(0, 20),
    rounds=st.integers(1, ROUNDS_MAX),
    left=st.sampled_from([0, 100]),
    painted=st.booleans(),
    role=st.sampled_from([None, SNOWFLAKE]),
)
def test_a_proposal_fits_into_a_message_and_says_what_it_costs(
    prompt: str, notes: int, rounds: int, left: int, role: int | None, *, painted: bool
) -> None:
    rules = Rules(626_461, rounds, secret=True, voters_role=role, opener_votes=False)
    models = tuple(model.id for model in CATALOGUE.offered()[:PICTURES_MAX])
    order = Order(prompt, models=models)
    note = "A note that says why something is otherwise than it was asked for."
    quote = Quote("0123456789", order, "model", 1, (note,) * notes)
    on = quote if painted else candidates(prompt, PICTURES_MAX, "")
    wish = Wish(rules, order if painted else About("0123456789"))
    text = proposal_text(
        Proposal("0123456789", wish, on, wanted=40, price=12_345_678, left_today=left)
    )
    check_text(text)
    assert "**40 pictures** are painted for about $12.35 in all." in text
    assert f"you have {left} left today." in text


@settings(max_examples=60)
@given(
    votes=st.lists(st.tuples(boards(), st.sampled_from([None, 1.9e9]), st.booleans()), max_size=10)
)
def test_what_stands_in_a_server_fits_into_a_message(
    votes: list[tuple[Board, float | None, bool]],
) -> None:
    listed = [
        listed_as(replace(board.contest, ended_at=ended_at), board, there=there)
        for board, ended_at, there in votes
    ]
    text = standing_text(listed)
    check_text(text)
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    assert all(line.endswith(f"/{SNOWFLAKE})") for line in entries), "each with the way to it"
    assert all(name_of(each) for each in listed)


def listed_as(contest: Contest, board: Board, *, there: bool = True) -> Listed:
    return Listed(contest, board.round, board if there else None, SNOWFLAKE)


@pytest.mark.parametrize("position", [None, 2])
@pytest.mark.parametrize("before", [None, 1, 2])
@pytest.mark.parametrize("turnout", [0, 1])
def test_what_has_become_of_a_press_is_said_in_words(
    position: int | None, before: int | None, turnout: int
) -> None:
    text = cast_text(Cast(position, before, turnout, for_role=False))
    check_text(text)
    assert "None" not in text


def test_the_other_buttons_of_a_vote() -> None:
    check_layout(Layout(StartVote("0123456789"), Leave("0123456789")))
    check_layout(winner_buttons("0123456789", "0123456789", PICTURES_MAX))


@pytest.mark.parametrize(
    "form", [VoteForm(f"vote-form:{'0' * 10}:{2**63}"), SuggestForm(f"suggest-form:{'0' * 10}:1")]
)
async def test_forms_are_as_discord_takes_them(form: Any) -> None:
    if isinstance(form, SuggestForm):
        form.fill_in("W" * SUGGESTION_MAX)
    told = form.to_dict()
    assert 1 <= len(told["title"]) <= 45
    assert len(told["custom_id"]) <= 100
    assert 1 <= len(told["components"]) <= 5
    for label in told["components"]:
        assert len(label["label"]) <= 45
        assert len(label.get("description") or "") <= 100
        field = label["component"]
        assert len(field.get("placeholder") or "") <= 100
        assert len(field.get("value") or "") <= field.get("max_length", 4000)
        for option in field.get("options", ()):
            assert len(option["label"]) <= CHOICE_MAX


def longest(kind: str, stage: Stage) -> Board:
    """Every limit at once: eight pictures, 25 suggestions, millions of votes."""
    prompt = ("[x](https://example.com) @everyone " * 60)[:PROMPT_MAX].strip()
    shown = candidates(prompt, PICTURES_MAX, kind)
    if kind == "changes":
        shown = replace(shown, generation=replace(shown.generation, notes=()))
    tally = dict.fromkeys(range(1, PICTURES_MAX + 1), MILLIONS)
    voted_on = stage.votes or stage is Stage.WAITING
    one = Round(
        id="0123456789",
        contest_id="0123456789",
        number=4,
        stage=stage,
        seed=SEED_LIMIT - 1,
        message_id=SNOWFLAKE,
        opened_at=1.8e9,
        closes_at=float(CLOSES_AT),
        extended=True,
        winner=None if voted_on else 8,
        drawn=not voted_on,
        announced_id=None,
    )
    return Board(
        contest(Rules(600, ROUNDS_MAX, voters_role=SNOWFLAKE, opener_votes=False)),
        one,
        shown,
        {Stage.OPEN: tally, Stage.RUNOFF: tally},
        () if voted_on else suggestions([prompt[:SUGGESTION_MAX]] * SUGGESTIONS_MAX),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage", Stage)
def test_of_the_longest_ballot_whole_lines_are_left_out(kind: str, stage: Stage) -> None:
    board = longest(kind, stage)
    text = ballot_text(STUDIO, board)
    check_text(text)
    check_layout(ballot_buttons(board))
    if stage.votes:
        assert f"It closes <t:{CLOSES_AT}:R>" in text
    elif board.winner is not None:
        assert "**Picture 8 wins** by lot, since" in text
    if stage is Stage.BETWEEN:
        assert f"round 5 begins <t:{CLOSES_AT}:R>" in text
        assert text.endswith("\n…"), "something is left out"
        assert f"seed {SEED_MAX}" not in text, "and that is what matters least"


def test_of_the_longest_list_whole_votes_are_left_out() -> None:
    boards_ = [longest(kind, stage) for kind in KINDS for stage in Stage]
    text = standing_text([listed_as(board.contest, board) for board in boards_])
    check_text(text)
    *lines, last = text.splitlines()
    assert len(lines) > 3
    assert all(line.endswith(")") for line in lines[1:]), "each with the way to it"
    assert last == "-# and 18 more, which `/vote close` lists"


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_longest_winner_whole_lines_are_left_out(kind: str) -> None:
    board = longest(kind, Stage.DECIDED)
    ended = replace(board, contest=replace(board.contest, ending="It failed. " * 200))
    text = winner_text(STUDIO, Finale((board,) * 4 + (ended,)))
    check_text(text)
    assert text.startswith("**The vote has a winner:** `")


def test_of_the_longest_proposal_whole_lines_are_left_out() -> None:
    order = Order("W" * PROMPT_MAX)
    quote = Quote("0123456789", order, "model", 1, ("`quality` " + "is not so " * 15,) * 20)
    wish = Wish(Rules(600, ROUNDS_MAX, secret=True), order)
    text = proposal_text(Proposal("0123456789", wish, quote, 40, 12_345_678, 0))
    check_text(text)
    assert "you have 0 left today." in text
    assert text.endswith("\n…")
