"""The world that tests act in, and what it logs; both are made in world.py."""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings
from world import KEY, TOKEN, Log, World, open_world

from bot import logs

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
