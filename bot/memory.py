"""How much of freed memory the process keeps for itself."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2
_LARGE = 1 << 20


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
