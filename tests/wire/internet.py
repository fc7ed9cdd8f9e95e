"""The web, as the bot's process sees it: its servers are on loopback, and nothing else is there.

This is below everything that the bot does: it asks for names and gets addresses, looks at these
by its own rules, and connects. Only then does it turn out where the ports of the web lead to.
"""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Replace = Callable[[Any, str, object], None]

#: An address like any other; nothing is ever sent to it.
PUBLIC = "93.184.215.14"
#: What names stand for: the first time the first, and each time after it the next or the last.
#: Of all others there is no such name.
NAMES = {
    "pictures.example": (PUBLIC,),
    "cdn.discordapp.com": (PUBLIC,),
    "turncoat.example": (PUBLIC, "10.0.0.7"),
    "inside.example": ("10.0.0.7",),
    "inside-six.example": ("fd00:ec2::254",),
    "metadata.example": ("169.254.169.254",),
    "mapped.example": ("::ffff:127.0.0.1",),
}
_WEB = (80, 443)


def install(web: int, inside: int, *, patience_s: float, replace: Replace = setattr) -> None:
    """From now on, for all of this process.

    Args:
        web: the port on loopback to which public addresses lead.
        inside: to which all the others do, this machine's own among them.
        patience_s: of the bot, for one picture behind a link; its own is long for tests.
        replace: changes an attribute of something.
    """
    from bot.imaging.links import Links  # noqa: PLC0415 - after the path is right

    replace(socket, "getaddrinfo", _naming(socket.getaddrinfo))
    replace(socket.socket, "connect", _leading(socket.socket.connect, web, inside))
    options = dict(Links.__init__.__kwdefaults__ or {})
    assert options["seconds"] > patience_s, "it gives up sooner by itself"
    replace(Links.__init__, "__kwdefaults__", options | {"seconds": patience_s})


def _naming(original: Callable[..., Any]) -> Callable[..., Any]:
    left = {name: deque(addresses) for name, addresses in NAMES.items()}

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host in left:
            host = left[host].popleft() if len(left[host]) > 1 else left[host][0]
        elif str(host).endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return original(host, *args, **kwargs)

    return getaddrinfo


def _leading(original: Callable[..., Any], web: int, inside: int) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[1] in _WEB:
            port = web if address[0] == PUBLIC else inside
            loopback = "127.0.0.1" if self.family == socket.AF_INET else "::ffff:127.0.0.1"
            address = (loopback, port, *address[2:])
        return original(self, address)

    return connect
