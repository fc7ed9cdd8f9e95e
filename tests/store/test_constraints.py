"""The rules that the tables hold by themselves, whatever a statement tries."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from bot.store.schema import generations, ledger, people, pictures

#: A row of each table that breaks no rule, in an order in which they can be written.
FINE = {
    people: {
        "id": 1,
        "first_seen_at": 0.0,
        "day": 1,
        "day_used": 5,
        "day_reserved": 5,
        "day_limit": 10,
        "minute_start": 0.0,
        "minute_used": 0,
        "waiting": 3,
        "waiting_limit": 3,
    },
    generations: {
        "id": "a",
        "interaction_id": 1,
        "person_id": 1,
        "request": "{}",
        "prompt": "a fox",
        "wanted": 4,
        "seed": 7,
        "private": 0,
        "application_id": 1,
        "channel_id": 1,
        "interaction_token": "secret",
        "token_expires_at": 0.0,
        "may_post": 1,
        "file_limit": 1,
        "state": "waiting",
        "attempt": 0,
        "orphaned": 0,
        "holder": None,
        "minute_start": 0.0,
        "created_at": 0.0,
        "ended_at": None,
        "notes": "[]",
        "way": None,
    },
    ledger: {
        "generation_id": "a",
        "person_id": 1,
        "entry": "reserve",
        "pictures": 4,
        "price": 0,
        "at": 0.0,
    },
    pictures: {
        "generation_id": "a",
        "position": 1,
        "key": "a-1",
        "media_type": "image/png",
        "width": 8,
        "height": 8,
        "bytes": 8,
        "seed": 7,
    },
}


def write(connection, table, **changed):
    connection.execute(table.insert().values(**(FINE[table] | changed)))


@pytest.mark.parametrize(
    ("table", "wrong", "rule"),
    [
        (people, {"day_used": 6}, "ck_people_day_limit"),
        (people, {"day_used": -1}, "ck_people_day_used"),
        (people, {"day_reserved": -1}, "ck_people_day_reserved"),
        (people, {"minute_used": -1}, "ck_people_minute_used"),
        (people, {"waiting": 4}, "ck_people_waiting"),
        (people, {"waiting": -1}, "ck_people_waiting"),
        (people, {"day_used": "five"}, "cannot store TEXT value in INTEGER column"),
        (generations, {"person_id": 2}, "FOREIGN KEY"),
        (generations, {"server_id": 2}, "FOREIGN KEY"),
        (generations, {"wanted": 0}, "ck_generations_wanted"),
        (generations, {"wanted": 9}, "ck_generations_wanted"),
        (generations, {"private": 2}, "ck_generations_booleans"),
        (generations, {"may_post": 2}, "ck_generations_booleans"),
        (generations, {"state": "lost", "ended_at": 1.0, "interaction_token": None}, "_state"),
        (generations, {"state": "painting"}, "ck_generations_held"),
        (generations, {"holder": "somebody"}, "ck_generations_holder"),
        (generations, {"state": "failed", "interaction_token": None}, "ck_generations_ended"),
        (generations, {"ended_at": 1.0, "interaction_token": None}, "ck_generations_ended"),
        (generations, {"state": "failed", "ended_at": 1.0}, "ck_generations_token"),
        (generations, {"way": "pigeon"}, "ck_generations_way"),
        (ledger, {"generation_id": "b"}, "FOREIGN KEY"),
        (ledger, {"entry": "gift"}, "ck_ledger_entry"),
        (pictures, {"generation_id": "b"}, "FOREIGN KEY"),
        (pictures, {"position": 0}, "ck_pictures_position"),
        (pictures, {"position": 9}, "ck_pictures_position"),
    ],
)
def test_what_is_against_a_rule_is_refused(engine, table, wrong, rule):
    with engine.begin() as connection:
        for earlier in FINE:
            if earlier is table:
                break
            write(connection, earlier)
        with pytest.raises(IntegrityError, match=rule):
            write(connection, table, **wrong)
        write(connection, table)


@pytest.mark.parametrize(
    ("table", "changed", "rule"),
    [
        (generations, {"id": "b"}, "generations.interaction_id"),
        (generations, {"interaction_id": 2}, "generations.id"),
        (ledger, {}, "ledger.generation_id, ledger.entry"),
        (pictures, {"position": 2}, "pictures.key"),
        (pictures, {"key": "a-2"}, "pictures.generation_id, pictures.position"),
    ],
)
def test_what_is_there_once_is_not_there_twice(engine, table, changed, rule):
    with engine.begin() as connection:
        for each in FINE:
            write(connection, each)
        with pytest.raises(IntegrityError, match=f"UNIQUE constraint failed: {rule}"):
            write(connection, table, **changed)


@pytest.mark.parametrize(("first", "then"), [("settle", "refund"), ("refund", "settle")])
def test_a_generation_is_settled_or_refunded_once(engine, first, then):
    with engine.begin() as connection:
        for each in FINE:
            write(connection, each)
        write(connection, ledger, entry=first)
        with pytest.raises(IntegrityError, match=r"UNIQUE constraint failed: ledger.generation_id"):
            write(connection, ledger, entry=then)
