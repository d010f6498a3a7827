"""Which addresses a webhook may call: by default no private one, so that no notice probes our network."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


class Unreachable(Exception):  # noqa: N818 - a value that travels by raise: it becomes an outcome
    """The name leads nowhere, or to an address that must not be called; if `final`, no other try helps."""

    def __init__(self, detail: str, *, final: bool) -> None:
        super().__init__(detail)
        self.final = final


async def resolved(host: str, port: int, *, private_allowed: bool) -> Address:
    """The address to call. All of a name's addresses must be allowed, and the one given is the one called.

    Looking a name up twice would let it change in between (DNS rebinding).
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"no address for {host}: {error}", final=False) from error
    addresses = [ip_address(entry[4][0]) for entry in found]
    if not addresses:
        raise Unreachable(f"no address for {host}", final=False)
    for address in addresses:
        if not private_allowed and not public(address):
            raise Unreachable(f"expected a public address, found {host} at {address}", final=True)
    return addresses[0]


def public(address: Address) -> bool:
    """Whether this is an address of the open internet, also when it is wrapped into another family."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return public(inner)
    return address.is_global and not address.is_multicast
