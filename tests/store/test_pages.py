"""A person's history, page by page."""

from __future__ import annotations

from store_samples import PERSON

from bot.store import generations


def page(steps, person=PERSON, *, before=None, size=3):
    rows = generations.page_of(steps.connection, person, before=before, size=size)
    return [row.number for row in rows]


def test_pages_go_from_the_newest_to_the_oldest_without_gap_or_repeat(steps):
    numbers = [steps.get(steps.painted(n)).number for n in range(1, 8)]
    newest_first, before = numbers[::-1], None
    for expected in (newest_first[:3], newest_first[3:6], newest_first[6:], []):
        found = page(steps, before=before)
        assert found == expected, f"the page before {before}"
        before = found[-1] if found else None


def test_a_page_has_what_has_pictures_and_is_ones_own(steps):
    painted, delivered = steps.painted(1), steps.painted(2)
    steps.deliver(delivered)
    steps.waiting(3)
    steps.painting(4)
    steps.fail(steps.waiting(5))
    steps.painted(6, person_id=PERSON + 1)
    assert page(steps) == [steps.get(delivered).number, steps.get(painted).number]
    assert page(steps, PERSON + 2) == []


def test_a_page_is_found_without_reading_the_others(steps):
    plan = steps.connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT * FROM generations WHERE person_id = 1"
        " AND state IN ('painted', 'delivered') AND number < 9 ORDER BY number DESC LIMIT 3"
    ).all()
    told = " ".join(row[-1] for row in plan)
    assert "ix_generations_person_id_number (person_id=? AND number<?)" in told
    assert "TEMP B-TREE" not in told
