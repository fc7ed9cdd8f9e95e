"""The worlds that tests act in, and what is logged; they are made in world.py and wire/town.py."""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import structlog
from hypothesis import settings
from wire import town as towns
from wire.orders import paint
from world import KEY, TOKEN, Log, World, open_world

from bot import logs
from bot.demo.painter import Painter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

# No test is timed: a busy machine is no mistake of ours.
settings.register_profile("house", parent=settings.default, deadline=None)
settings.load_profile("house")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def painter() -> AsyncIterator[Painter]:
    """For a bot in another process, and in this one, to look into its requests."""
    async with Painter(api_key=towns.KEY, paint=paint) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    painter: Painter, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[towns.Town]:
    """Painted for by that one; what was posted can be looked at."""
    folder = tmp_path_factory.mktemp("town")
    async with towns.open_town(folder, together_base_url=painter.url, channels=60) as opened:
        opened.discord.world.keep_bytes = True
        opened.discord.world.channel_limit = None
        yield opened


@pytest.fixture
def log() -> Iterator[Log]:
    """The log of a test that names this before its world."""
    root, shown = logging.getLogger(), structlog.get_config()
    hooks = sys.excepthook, threading.excepthook
    handlers, level = list(root.handlers), root.level
    written = Log(io.StringIO())
    logs.configure("DEBUG", "json", (TOKEN, KEY), written.stream)
    # Loggers that are remembered would write here for all tests that come after.
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(capture=False)
    structlog.configure(**shown)
