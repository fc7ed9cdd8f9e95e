"""Pictures behind links that people type: fetched from the public web, and from nowhere else."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from yarl import URL

from bot.imaging.claims import HEAD, WEB_PAGE, kind_of, seems
from bot.imaging.references import BYTES_MAX, BadReference, oversized, refuse_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aiohttp.abc import AbstractResolver

    #: One of what `socket.getaddrinfo` answers.
    _AddressInfo = tuple[int, int, int, str, tuple[object, ...]]

USER_AGENT: Final = "Easel/0.1 (Discord bot; fetches pictures that people link to)"
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Accept": "image/png, image/jpeg, image/webp, image/gif, */*;q=0.1",
    # Unpacking is for bombs; a picture is packed already.
    "Accept-Encoding": "identity",
}

PORTS: Final = frozenset({80, 443})
_LINK_MAX = 2000
_REDIRECTS_MAX = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONNECTIONS = 8
_CHUNK = 1 << 16
_SILENCE_S = 5.0

#: https://www.iana.org/assignments/ipv6-unicast-address-assignments: all that is given out.
_GIVEN_OUT = ip_network("2000::/3")
#: Within what looks public: some of it leads back inside, by another name.
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # the host of every machine on Azure
        "2001::/23",  # protocol assignments, of which newer Pythons call some global
        "2002::/16",  # 6to4, which carries an IPv4 address
        "3fff::/20",  # documentation
    )
)

_DISCORD = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_INSTEAD = "Upload the file instead."
_GOOD, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE = 200, 401, 403, 404, 410


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one host's, on the internet, and stands for nothing else."""
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return False  # mapped IPv4 and NAT64 among them
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not address.is_multicast and not special


class _NotPublic(OSError):
    """The text is the same for all addresses: only so aiohttp hands on the error as it is."""

    def __init__(self) -> None:
        super().__init__("not a public address")


class Links:
    """A door to the web with a guard. Use it as an async context manager.

    Args:
        allowed: which addresses may be connected to, whatever their names.
        ports: likewise.
        seconds: for a picture all in all, redirects included.
        resolver: how names become addresses, when not as the system does it.
    """

    def __init__(
        self,
        *,
        allowed: Callable[[IPv4Address | IPv6Address], bool] = is_public,
        ports: Collection[int] = PORTS,
        seconds: float = 10.0,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allowed = allowed
        self._ports = frozenset(ports)
        self._seconds = seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                socket_factory=self._socket,
                resolver=resolver,
                limit=_CONNECTIONS,
                use_dns_cache=False,
                force_close=True,
            ),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=seconds, sock_read=min(seconds, _SILENCE_S)),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def fetch(self, link: str) -> bytes:
        """What a link leads to: as far as its first bytes tell, a picture that we read.

        Raises:
            BadReference: it leads nowhere, elsewhere, or is not to be followed.
        """
        url = self._checked(_parsed(link.strip().removeprefix("<").removesuffix(">")))
        try:
            async with asyncio.timeout(self._seconds):
                return await self._followed(url)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failed = _unreachable(error, url)
        # Not in the handler: aiohttp's errors hold the link, with all that it gives away.
        raise failed

    def _socket(self, info: _AddressInfo) -> socket.socket:
        """The only place where the address is the real one: a name may change its mind."""
        family, kind, protocol, _, where = info
        if not self._allowed(ip_address(str(where[0]))):
            raise _NotPublic
        return socket.socket(family, kind, protocol)

    def _checked(self, url: URL) -> URL:
        if "@" in url.raw_authority:
            raise BadReference("That link has a name or password in it; I follow only open ones.")
        if url.port not in self._ports:
            raise BadReference(f"That link leads to an unusual port, {url.port}. {_INSTEAD}")
        return url

    async def _followed(self, url: URL) -> bytes:
        for _ in range(_REDIRECTS_MAX + 1):
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await _picture(response)
                url = self._checked(_parsed(response.headers.get("Location", ""), url))
        raise BadReference(f"That link leads on from place to place without end. {_INSTEAD}")


def _parsed(link: str, base: URL | None = None) -> URL:
    """As it is spelt: another spelling would break the signature of a signed link."""
    spelt = link.isascii() and link.isprintable() and " " not in link
    try:
        url = URL(link[: _LINK_MAX + 1], encoded=spelt)
        url = base.join(url) if base else url
        if len(link) <= _LINK_MAX and link and url.scheme in ("http", "https") and url.host:
            return url
    except ValueError:
        pass
    if base:
        raise BadReference(f"That link leads on to something that is no web address. {_INSTEAD}")
    raise BadReference("That's no link that I can follow; it has to begin with https://.")


async def _picture(response: aiohttp.ClientResponse) -> bytes:
    _check_status(response)
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise BadReference(f"That site packs its pictures in a way that I don't open. {_INSTEAD}")
    if (response.content_length or 0) > BYTES_MAX:
        raise oversized()
    body = bytearray()
    looked_at = False
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > BYTES_MAX:
            raise oversized()
        if not looked_at and len(body) >= HEAD:
            _check_head(bytes(body[:HEAD]), response.content_type)
            looked_at = True
    _check_head(bytes(body[:HEAD]), response.content_type)
    return bytes(body)


def _check_status(response: aiohttp.ClientResponse) -> None:
    status, host = response.status, response.url.host
    if status == _GOOD:
        return
    operator = f"{status} from {host}"
    if host in _DISCORD and status in (_FORBIDDEN, _NOT_FOUND):
        sentence = "Discord's link to that picture has expired; upload the picture again."
    elif status in (_NOT_FOUND, _GONE):
        sentence = "There is nothing at that link any more. Check it, or upload the file instead."
    elif status in (_UNAUTHORIZED, _FORBIDDEN):
        sentence = f"That site doesn't let me have the picture. {_INSTEAD}"
    else:
        sentence = f"That site answers with an error ({status}). {_INSTEAD}"
    raise BadReference(sentence, operator=operator)


def _check_head(head: bytes, content_type: str) -> None:
    if kind_of(head) is None and (seems(head) == WEB_PAGE or "html" in content_type):
        raise BadReference(
            "That link leads to a web page, not to a picture; open the picture itself and copy "
            "its address, or upload the file."
        )
    refuse_foreign(head)


def _unreachable(error: Exception, url: URL) -> BadReference:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _NotPublic):
        sentence = f"That link leads into a private network, where I don't go. {_INSTEAD}"
    elif isinstance(error, (aiohttp.ClientConnectorDNSError, aiohttp.InvalidURL)):
        sentence = "I can't find the site that the link names. Check how it is spelt."
    elif isinstance(error, TimeoutError):
        sentence = f"That site is too slow for me. {_INSTEAD}"
    else:
        sentence = f"I can't get the whole picture from that link. {_INSTEAD}"
    # The type alone: texts may quote the link.
    return BadReference(sentence, operator=f"a link to {url.host}: {type(error).__name__}")
