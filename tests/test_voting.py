"""The rules of a vote: who may, what wins, and that every vote ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadRequest, NotAllowed
from bot.store.vote_schema import Stage
from bot.studio.voting import (
    BETWEEN_MAX_S,
    DAY_S,
    DURATION_MAX_S,
    DURATION_MIN_S,
    HALF_MIN_S,
    SEED_LIMIT,
    Extended,
    Rules,
    Suggestion,
    Tied,
    Unanswered,
    Voter,
    Won,
    authors_of,
    between_s,
    check_heard,
    check_leader,
    check_rules,
    check_voter,
    decide,
    drawn,
    most_backed,
    parse_duration,
    runoff_s,
)

NOW = 1.8e9
ANN, BOB, SERVER, ROLE = 1, 2, 3, 4

tallies = st.dictionaries(st.integers(1, 8), st.integers(0, 5), min_size=2)
seeds = st.integers(0, SEED_LIMIT - 1)


@given(tally=tallies, seed=seeds, stage=st.sampled_from([Stage.OPEN, Stage.RUNOFF]))
def test_a_winner_has_as_many_votes_as_anybody(tally, seed, stage) -> None:
    decision = decide(tally, stage, seed)
    most = max(tally.values())
    leading = {position for position, votes in tally.items() if votes == most}
    match decision:
        case Won(position, drawn_from):
            assert position in leading
            assert set(drawn_from) in (set(), leading)
            assert bool(drawn_from) == (len(leading) > 1), "drawn only where they were tied"
        case Tied(positions):
            assert stage is Stage.OPEN, "a runoff leads to no further one"
            assert set(positions) == leading
            assert len(positions) > 1
        case Unanswered():
            assert most == 0
            assert stage is Stage.OPEN
        case Extended():
            pytest.fail("it was not to be extended")


@given(data=st.data(), seed=seeds)
def test_every_ballot_ends_after_an_extension_and_a_runoff_at_most(data, seed) -> None:
    positions = data.draw(st.sets(st.integers(1, 8), min_size=2))
    stage, extended, steps = Stage.OPEN, False, 0
    while True:
        steps += 1
        assert steps <= 3, "extended once, run off once, and then it is over"
        votes = {each: data.draw(st.integers(0, 2)) for each in positions}
        match decide(votes, stage, seed, may_extend=not extended):
            case Extended():
                extended = True
            case Tied(tied):
                positions, stage = set(tied), Stage.RUNOFF
            case Won() | Unanswered():
                return


def test_nobody_votes() -> None:
    none = {1: 0, 2: 0}
    assert decide(none, Stage.OPEN, 0, may_extend=True) == Extended()
    assert decide(none, Stage.OPEN, 0) == Unanswered()
    assert decide(none, Stage.RUNOFF, 5) == Won(2, drawn_from=(1, 2)), "they stay tied"


@pytest.mark.parametrize("votes", [0, 1])
@pytest.mark.parametrize("may_extend", [True, False])
def test_the_only_picture_wins_without_a_vote(votes, may_extend) -> None:
    assert decide({3: votes}, Stage.OPEN, 5, may_extend=may_extend) == Won(3)


@given(positions=st.sets(st.integers(1, 8), min_size=1), seed=seeds)
def test_a_draw_can_be_worked_out_by_hand(positions, seed) -> None:
    assert drawn(tuple(positions), seed) == sorted(positions)[seed % len(positions)]


def test_a_draw_is_fair() -> None:
    counts = dict.fromkeys((2, 5, 7), 0)
    for seed in range(3000):
        counts[drawn((7, 2, 5), seed)] += 1
    assert set(counts.values()) == {1000}


def voter(**changed) -> Voter:
    usual = {"account_since": 0.0, "member_since": 0.0}
    return Voter(**{"person_id": BOB, "server_id": SERVER} | usual | changed)


@pytest.mark.parametrize(
    ("rules", "who", "sentence"),
    [
        ({}, voter(is_bot=True), "Bots have no vote"),
        ({"voters_role": ROLE}, voter(), f"only <@&{ROLE}> can vote"),
        ({"opener_votes": False}, voter(person_id=ANN), "leaves it to the others"),
        ({"account_days": 30}, voter(account_since=NOW - 29 * DAY_S), "30 days old"),
        ({"member_days": 7}, voter(member_since=NOW - 6 * DAY_S), "7 days as a member"),
        ({"member_days": 1}, voter(member_since=None), "a day as a member"),
    ],
)
def test_who_has_no_vote_reads_why(rules, who, sentence) -> None:
    with pytest.raises(NotAllowed) as refused:
        check_voter(Rules(600, **rules), ANN, who, NOW)
    assert sentence in refused.value.sentence


@pytest.mark.parametrize(
    ("rules", "who"),
    [
        ({}, voter()),
        ({}, voter(person_id=ANN)),
        ({"voters_role": ROLE}, voter(roles=frozenset({ROLE, 9}))),
        ({"opener_votes": False}, voter()),
        ({"account_days": 30}, voter(account_since=NOW - 30 * DAY_S)),
        ({"member_days": 7}, voter(member_since=NOW - 7 * DAY_S)),
    ],
)
def test_who_has_a_vote(rules, who) -> None:
    check_voter(Rules(600, **rules), ANN, who, NOW)


@pytest.mark.parametrize(
    ("rules", "who"),
    [
        ({"voters_role": ROLE}, voter()),
        ({"opener_votes": False}, voter(person_id=ANN)),
        ({"account_days": 30, "member_days": 7}, voter()),
    ],
)
def test_who_is_heard_with_a_vote_or_without_one(rules, who) -> None:
    check_heard(Rules(600, **rules), who, NOW)


@pytest.mark.parametrize(
    ("rules", "who"),
    [
        ({}, voter(is_bot=True)),
        ({"account_days": 30}, voter(account_since=NOW - 29 * DAY_S)),
        ({"member_days": 7}, voter(member_since=NOW - 6 * DAY_S)),
    ],
)
def test_who_is_not_heard(rules, who) -> None:
    with pytest.raises(NotAllowed):
        check_heard(Rules(600, **rules), who, NOW)


def test_who_may_close_it() -> None:
    check_leader(ANN, voter(person_id=ANN))
    check_leader(ANN, voter(moderates=True))
    with pytest.raises(NotAllowed, match=f"Only <@{ANN}>"):
        check_leader(ANN, voter())


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        (" 1 H 30 M ", 5400),
        ("2d", 2 * DAY_S),
        ("1d12h", 1.5 * DAY_S),
        ("10 minutes", 600),
        ("1 hour and 30 min", 5400),
        ("2 days, 1 hr", 2 * DAY_S + 3600),
    ],
)
def test_durations(typed, seconds) -> None:
    assert parse_duration(typed) == seconds


@pytest.mark.parametrize(
    "typed", ["", "10", "-5m", "m", "1.5h", "10 fortnights", "٣m", "1h-30m", "9" * 30 + "s", "1e3s"]
)
def test_what_is_no_duration_reads_what_would_be(typed) -> None:
    with pytest.raises(BadRequest, match="1h30m"):
        parse_duration(typed)


@given(parts=st.lists(st.tuples(st.integers(0, 9999999), st.sampled_from("dhms")), min_size=1))
def test_a_duration_is_the_sum_of_its_parts(parts) -> None:
    units = {"d": DAY_S, "h": 3600, "m": 60, "s": 1}
    typed = "".join(f"{number}{unit}" for number, unit in parts)
    assert parse_duration(typed) == sum(number * units[unit] for number, unit in parts)


@pytest.mark.parametrize("seconds", [0, DURATION_MIN_S - 1, DURATION_MAX_S + 1])
def test_a_ballot_is_open_neither_too_short_nor_too_long(seconds) -> None:
    with pytest.raises(BadRequest, match="30 seconds up to 7 days"):
        check_rules(Rules(seconds))


@given(seconds=st.integers(DURATION_MIN_S, DURATION_MAX_S), rounds=st.integers(1, 5))
def test_a_runoff_takes_half_the_time(seconds, rounds) -> None:
    check_rules(Rules(seconds, rounds))
    assert runoff_s(seconds) == max(HALF_MIN_S, seconds // 2)
    assert HALF_MIN_S <= between_s(seconds) <= BETWEEN_MAX_S


def test_six_rounds_are_too_many() -> None:
    with pytest.raises(BadRequest, match="1 to 5 rounds"):
        check_rules(Rules(600, rounds=6))


def test_the_most_backed_come_first_and_of_equals_the_oldest() -> None:
    made = [
        Suggestion(1, "late", 2, 9.0),
        Suggestion(2, "early", 2, 1.0),
        Suggestion(3, "lonely", 0, 0.0),
        Suggestion(4, "loved", 5, 20.0),
    ]
    assert [each.words for each in most_backed(made)] == ["loved", "early", "late", "lonely"]


def test_the_same_words_are_one_suggestion_of_all_who_back_them() -> None:
    made = [
        Suggestion(1, "Make it night", 2, 9.0),
        Suggestion(2, "make it night", 1, 1.0),
        Suggestion(3, "give it a hat", 2, 0.0),
    ]
    first, second = most_backed(made)
    assert (first.words, first.person_id, first.backers) == ("make it night", 2, 3)
    assert second.words == "give it a hat"


def test_authors_of_the_same_words_are_named_the_oldest_first() -> None:
    made = [
        Suggestion(1, "GRÖSSER", 2, 9.0),
        Suggestion(2, "größer", 1, 1.0),
        Suggestion(3, "kleiner", 1, 0.0),
    ]
    assert authors_of("Größer", made) == [2, 1]
    assert authors_of("nothing", made) == []
