"""`make demo` as a stranger meets it: the page in a real browser, a command typed, pictures."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(__file__).parents[1]
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 90_000


@contextmanager
def demo_at(port: int) -> Iterator[str]:
    """Where a demo of our own is, as it says itself; it ends with the test."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--port", str(port)],
        cwd=HOUSE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demo.stdout is not None
    said: list[str] = []
    try:
        for line in demo.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
                yield found[0]
                break
        else:
            pytest.fail(f"the demo ended without an address and said: {''.join(said)}")
    finally:
        demo.terminate()
        demo.wait(timeout=30)
        demo.stdout.close()


@pytest.fixture
def address() -> Iterator[str]:
    with demo_at(0) as address:
        yield address


def test_a_port_that_is_taken_is_no_obstacle() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo_at(port) as address:
            assert f":{port}/" not in address


async def send(page: Page) -> None:
    """Presses Enter as often as a person would: a page that is just loading pictures drops it."""
    typed = page.locator("input[data-option=prompt]")
    for _ in range(10):
        await page.keyboard.press("Enter")
        with suppress(AssertionError):
            await expect(typed).to_have_count(0, timeout=15_000)
            return
    pytest.fail("the page never sent the command")


@pytest.mark.skipif(BROWSER is None, reason="NO CHROMIUM HERE: the page was not opened at all")
async def test_a_stranger_types_imagine_and_sees_four_pictures(address: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1100, "height": 1000})
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(address)
        fox = page.get_by_alt_text("a red fox in fresh snow")
        await expect(fox.first, "the page opens with the tour's pictures").to_be_visible(
            timeout=PATIENCE_MS
        )
        await page.get_by_placeholder("Message #studio").click()
        await page.keyboard.type("/imagine")
        await expect(page.get_by_text("Paint pictures from your words.")).to_be_visible(
            timeout=PATIENCE_MS
        )
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("What to paint.")).to_be_visible(timeout=PATIENCE_MS)
        await page.keyboard.type("a small boat at night")
        await send(page)
        boats = page.get_by_alt_text(re.compile("Picture . of 4. AI-generated .* a small boat"))
        await expect(boats, "four described pictures").to_have_count(4, timeout=PATIENCE_MS)
        await boats.first.scroll_into_view_if_needed()
        await expect(boats.first, "which has arrived, and is no broken link").to_have_js_property(
            "naturalWidth", 1024, timeout=PATIENCE_MS
        )
        await browser.close()
