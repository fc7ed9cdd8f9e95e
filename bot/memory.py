"""How much of freed memory the process keeps for itself, and how often it looks for more."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2
_LARGE = 1 << 20
_NEW_OBJECTS = 20_000


def return_what_is_freed() -> None:
    """Lets the threads share their arenas, and keeps what is large out of these.

    By default glibc gives each of a dozen threads an arena of its own, and every one keeps the
    megabytes of pictures that went through it: a fifth of all memory under load. And once an
    upload of 20 MB was freed, it puts the next ones between smaller blocks, where they leave
    holes of that size.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library, which has no such thing
            glibc = ctypes.CDLL(None)
            glibc.mallopt(_M_ARENA_MAX, _ARENAS)
            glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
            glibc.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)  # as it would be by itself


def collect_seldom() -> None:
    """Lets more objects come between two searches for cycles.

    While pictures are on their way, nearly all new objects are in use; looking through them
    after every 700 takes a twentieth of the processor's time.
    """
    gc.set_threshold(_NEW_OBJECTS)
