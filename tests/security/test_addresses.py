"""Where a request comes from, for every way in which proxies stand before web; and what is no address."""

import pytest

from lessonadmin.security import addresses
from lessonadmin.security.addresses import NO_PROXIES, limit_key, read, trusted, visitor
from tests.cases import each_of


def seen(peer: str, forwarded: str = "", believed: str = "") -> str:
    return visitor(peer, forwarded, trusted(tuple(believed.split())))


@each_of("peer", ["172.17.0.1", "10.1.2.3", "192.168.1.9", "127.0.0.1", "::1", "fd00::7"])
@each_of("claimed", ["203.0.113.9", "203.0.113.9, 10.0.0.7", "127.0.0.1", "::1"])
def test_no_proxy_is_believed_unless_named(peer: str, claimed: str) -> None:
    """A private network, other pods, Docker's published ports: a client that can reach web there may write anything."""
    assert seen(peer, claimed) == peer


SHAPES = {
    "one proxy that appends": ("10.0.0.7", "1.1.1.1, 203.0.113.9", "10.0.0.7", "203.0.113.9"),
    "one proxy, named by its network": ("10.0.0.7", "203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
    "two hops": (
        "10.0.0.7",
        "9.9.9.9, 203.0.113.9, 198.51.100.4",
        "10.0.0.0/8 198.51.100.0/24",
        "203.0.113.9",
    ),
    "two hops of which one is named": (
        "10.0.0.7",
        "203.0.113.9, 198.51.100.4",
        "10.0.0.0/8",
        "198.51.100.4",
    ),
    "a proxy with a public address": ("198.51.100.4", "203.0.113.9", "198.51.100.0/24", "203.0.113.9"),
    "a carrier-grade range": ("100.64.3.4", "203.0.113.9", "100.64.0.0/10", "203.0.113.9"),
    "a unix socket": ("", "203.0.113.9", "unix", "203.0.113.9"),
    "a unix socket that nobody named": ("", "203.0.113.9", "10.0.0.0/8", ""),
    "a peer that is no proxy": ("203.0.113.50", "1.2.3.4", "10.0.0.0/8", "203.0.113.50"),
    "no header": ("10.0.0.7", "", "10.0.0.0/8", "10.0.0.7"),
    "an entry with a port": ("10.0.0.7", "203.0.113.9:5555", "10.0.0.0/8", "203.0.113.9"),
    "IPv6": ("10.0.0.7", "2001:db8::9", "10.0.0.0/8", "2001:db8::9"),
    "IPv6 with a port": ("10.0.0.7", "[2001:db8::9]:443", "10.0.0.0/8", "2001:db8::9"),
    "IPv6 in brackets": ("10.0.0.7", "[2001:DB8::9]", "10.0.0.0/8", "2001:db8::9"),
    "a quoted entry": ("10.0.0.7", '"[2001:db8::9]:443"', "10.0.0.0/8", "2001:db8::9"),
    "a zone": ("fe80::7%eth0", "fe80::9%eth1", "fe80::7", "fe80::9"),
    "IPv4 as IPv6": ("::ffff:10.0.0.7", "::ffff:203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
    "a network of IPv4 as IPv6": ("10.0.0.7", "203.0.113.9", "::ffff:10.0.0.0/104", "203.0.113.9"),
    "an IPv6 proxy": ("fd00::1", "2001:db8::9, fd00::2", "fd00::/8", "2001:db8::9"),
    "all are ours": ("10.0.0.7", "10.0.0.1, 10.0.0.2", "10.0.0.0/8", "10.0.0.1"),
    "garbage at the end": ("10.0.0.7", "203.0.113.9, unknown", "10.0.0.0/8", "10.0.0.7"),
    "garbage before a proxy of ours": (
        "10.0.0.7",
        "203.0.113.9, _hidden, 10.0.0.2",
        "10.0.0.0/8",
        "10.0.0.2",
    ),
    "garbage that was claimed": ("10.0.0.7", "' OR 1=1, 203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
    "an empty entry": ("10.0.0.7", "203.0.113.9, , 10.0.0.2", "10.0.0.0/8", "10.0.0.2"),
    "an empty last entry": ("10.0.0.7", "203.0.113.9,", "10.0.0.0/8", "10.0.0.7"),
    "several headers, joined by the server": (
        "10.0.0.7",
        "1.1.1.1,203.0.113.9,10.0.0.2",
        "10.0.0.0/8",
        "203.0.113.9",
    ),
}


@each_of(("peer", "forwarded", "believed", "expected"), SHAPES.values())
def test_the_nearest_that_is_no_proxy_of_ours_counts(
    peer: str, forwarded: str, believed: str, expected: str
) -> None:
    assert seen(peer, forwarded, believed) == expected


def test_a_long_list_is_read_from_its_end_and_not_for_ever() -> None:
    claimed = ", ".join(["1.1.1.1"] * 100_000)
    assert seen("10.0.0.7", f"{claimed}, 203.0.113.9", "10.0.0.0/8") == "203.0.113.9"
    ours = ", ".join(f"10.0.1.{number % 250}" for number in range(1000))
    assert seen("10.0.0.7", f"203.0.113.9, {ours}", "10.0.0.0/8").startswith("10.0.1.")
    assert seen("10.0.0.7", "9" * 1_000_000, "10.0.0.0/8") == "10.0.0.7"


@each_of(
    "text",
    [
        "", " ", "unknown", "_x", "1.2.3", "1.2.3.4.5", "010.0.0.1", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:123456",
        "1.2.3.4/24", "1.2.3.4%eth0", "[1.2.3.4]", "[::1", "::1]", "[::1]x", "[::1]:x", ":::", "a:b", '"', '""',
        "\u0661.2.3.4", "1.2.3.4\n", "localhost", "0x7f.1", "2130706433", "fe80::1%" + "x" * 80,
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("x", "x"),
    ],
)
def test_one_client_of_ipv6_is_its_network(address: str, key: str) -> None:
    assert limit_key(address) == key


@each_of(
    "item",
    ["*", "all", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "proxy.internal", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "unix:/tmp/x", "10.0.0.0-10.0.0.9"],
)  # fmt: skip
def test_what_is_no_proxy(item: str) -> None:
    with pytest.raises(ValueError, match="must"):
        trusted(("127.0.0.1", item))


def test_trusting_no_proxy_is_the_rule() -> None:
    assert not NO_PROXIES
    assert not any(NO_PROXIES.holds(peer) for peer in ("", "127.0.0.1", "::1", "10.0.0.1", "x"))
    assert trusted(("unix",)).holds("")
    assert not trusted(("unix",)).holds("garbage")
    assert addresses.is_loopback("127.0.0.9")
    assert not addresses.is_loopback("10.0.0.1")
