"""Network addresses: what proxies write about clients, and which proxies are trusted.

Text in, text out; nothing here knows of requests or reads a setting. What cannot be read as an address is never guessed at.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNIX = "unix"
MAX_HOPS = 20
MAX_ENTRY_LENGTH = 64
PORT = re.compile(r":\d{1,5}")
# A household or a company gets at least this much of IPv6, and can change its address within it at will.
ONE_CLIENT = 64


@dataclass(frozen=True)
class Trusted:
    """The proxies whose word is taken about where a request comes from."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def holds(self, peer: str) -> bool:
        """Is this peer, of the app or of a trusted proxy, one of them? A unix socket has no address."""
        found = read(peer)
        if found is None:
            return self.unix and not peer
        return any(found.version == network.version and found in network for network in self.networks)

    def __bool__(self) -> bool:
        return bool(self.networks) or self.unix


NO_PROXIES = Trusted()


def trusted(items: tuple[str, ...]) -> Trusted:
    """Of a setting; ValueError says what is wrong with it."""
    networks = []
    for item in items:
        if item.lower() == UNIX:
            continue
        try:
            network = _mapped(ipaddress.ip_network(item))
        except ValueError:
            raise ValueError(
                "must be networks or addresses such as 10.0.0.0/8,2001:db8::/32,192.0.2.7, or unix"
            ) from None
        if network.prefixlen == 0:
            raise ValueError("must not name every address: what is trusted may claim any address")
        networks.append(network)
    return Trusted(tuple(networks), unix=any(item.lower() == UNIX for item in items))


def _mapped(network: Network) -> Network:
    """IPv4 written as IPv6 (`::ffff:10.0.0.0/104`) is IPv4."""
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        inner = network.network_address.ipv4_mapped
        if inner is not None:
            return ipaddress.IPv4Network((inner, network.prefixlen - 96))
    return network


def read(text: str) -> Address | None:
    """The address of one entry, with or without port, brackets, quotes and zone; None for anything else."""
    text = text.strip(" \t")
    if len(text) > MAX_ENTRY_LENGTH:
        return None
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    host = text
    if text.startswith("["):
        host, end, rest = text[1:].partition("]")
        if not end or ":" not in host or (rest and not PORT.fullmatch(rest)):
            return None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not PORT.fullmatch(f":{port}"):
            return None
    return _read(host)


@lru_cache(maxsize=1024)  # most requests come from the same few
def _read(host: str) -> Address | None:
    bare, zone, _ = host.partition("%")
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return None if zone else found
    return found.ipv4_mapped or found


def visitor(peer: str, forwarded: str, believed: Trusted) -> str:
    """The client's address: the one nearest to the app that is not a trusted proxy.

    Each proxy appends its client, so the list is read from its end, and only as long as trusted proxies have
    written it: everything before may be invented. Reading ends at an entry that is no address.
    """
    known = read(peer)
    last = peer if known is None else str(known)
    if not believed.holds(peer):
        return last
    entries = forwarded.rsplit(",", MAX_HOPS)[-MAX_HOPS:] if forwarded else []
    for entry in reversed(entries):
        found = read(entry)
        if found is None:
            break
        last = str(found)
        if not believed.holds(last):
            break
    return last


def limit_key(address: str) -> str:
    """What counts as one client where tries are counted: an address, of IPv6 the network around it."""
    found = read(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, ONE_CLIENT), strict=False))
    return address if found is None else str(found)


def is_loopback(peer: str) -> bool:
    """Of this machine? A unix socket is."""
    found = read(peer)
    return not peer if found is None else found.is_loopback
