"""Everywhere that the product leaves text: what `test_planted_secrets.py` searches, and how."""

import base64
import json
import re
import subprocess
import sys
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote, urljoin, urlsplit

import psutil
import redis

from tests.contract.callers import Browser
from tests.flows.processes import Stack

MAX_OF_A_KIND = 2
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
TABLES = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'm') AND nspname = 'public'"

Found = Iterator[tuple[str, str]]


def spellings(secret: str) -> set[str]:
    """As it is, and as the usual encodings would carry it."""
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }


def search(places: dict[str, dict[str, str]], secrets: dict[str, set[str]]) -> set[tuple[str, str, str]]:
    """Which secret stands in which place: kind, name and secret."""
    return {
        (kind, name, secret)
        for kind, texts in places.items()
        for name, text in texts.items()
        for secret, spelled in secrets.items()
        if any(one in text for one in spelled)
    }


def logs(stack: Stack) -> Found:
    for file in sorted(stack.home.glob("*.log")):
        yield file.name, file.read_text(errors="replace")


def tables(stack: Stack) -> Found:
    """Every column of every row, binary ones in hexadecimal digits."""
    for (table,) in stack.database.rows(TABLES):
        rows = stack.database.rows(f"SELECT t::text FROM {table} t")  # noqa: S608 - a name from the catalogue
        yield table, "\n".join(row for (row,) in rows)


def redis_keys(stack: Stack) -> Found:
    """Every key with its value; RQ compresses what a job carries and how it ended."""
    with redis.Redis.from_url(stack.redis.url()) as connection:
        readers = {
            b"string": lambda key: [connection.get(key)],
            b"hash": lambda key: [one for pair in connection.hgetall(key).items() for one in pair],
            b"list": lambda key: connection.lrange(key, 0, -1),
            b"set": lambda key: connection.smembers(key),
            b"zset": lambda key: connection.zrange(key, 0, -1),
            b"stream": lambda key: [repr(connection.xrange(key)).encode()],
        }
        for key in connection.scan_iter():
            values = readers[connection.type(key)](key)
            yield key.decode(), "\n".join([key.decode(), *(_unpacked(one or b"") for one in values)])


def _unpacked(value: bytes) -> str:
    try:
        return zlib.decompress(value).decode(errors="replace")
    except zlib.error:
        return value.decode(errors="replace")


def pages(browser: Browser, *starts: str) -> Found:
    """Every kind of page that links lead to, with its exports, a few of each kind."""
    seen, counts, waiting = set(starts), Counter[str](), deque(starts)
    while waiting:
        here = waiting.popleft()
        answer = browser.get(here)
        assert answer.status < 500, here
        yield here, f"{answer.headers}\n{answer.body.decode(errors='replace')}"
        found = (
            re.findall(r'(?:href|data-url|action)="([^"]+)"', answer.text) if _is_page(answer.headers) else []
        )
        if "Location" in answer.headers:
            found.append(answer.headers["Location"])
        for address in found:
            parts = urlsplit(urljoin(browser.origin + here, address.replace("&amp;", "&")))
            target = parts._replace(scheme="", netloc="", fragment="").geturl()
            kind = ID.sub("*", parts.path)
            own = f"{parts.scheme}://{parts.netloc}" == browser.origin
            if (
                own
                and target not in seen
                and counts[kind] < MAX_OF_A_KIND
                and not _ends_or_is_a_file(parts.path)
            ):
                seen.add(target)
                counts[kind] += 1
                waiting.append(target)


def _is_page(headers: object) -> bool:
    return "text/html" in str(headers)


def _ends_or_is_a_file(path: str) -> bool:
    return path.startswith(("/static/", "/logout", "/login"))


def command_lines(stack: Stack) -> Found:
    """Of everything that runs, with all children."""
    heads = [
        *stack.processes.values(),
        *(one.process for one in (stack.database.running, stack.redis_running) if one),
    ]
    for head in heads:
        process = psutil.Process(head.pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # a child of the worker, that has ended
                yield f"{one.pid}", " ".join(one.cmdline())


def commands(stack: Stack, *lines: tuple[str, ...]) -> Found:
    """What commands say to an operator; each takes seconds to load, so all are started at once."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", *line],
            env=stack.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in lines
    ]
    for line, process in zip(lines, started, strict=True):
        yield " ".join(line), process.communicate(timeout=60)[0]
