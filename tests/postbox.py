"""A small mail server of the test's own: keeps what it is given, and fails in the ways that mail servers fail.

It speaks real SMTP on a real socket, so that the product's whole way out is tested.
"""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True)
class Received:
    """One mail as it arrived: the envelope, the bytes, and what a mail program reads in them."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def text(self) -> str:
        return str(self.mail.get_content()).replace("\r\n", "\n")


class _Talk(socketserver.StreamRequestHandler):
    server: "_Server"
    timeout = 5

    def setup(self) -> None:
        box = self.server.box
        if box.tls is not None and box.tls_at_once and not isinstance(self.request, ssl.SSLSocket):
            self.request = box.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        box = self.server.box
        box.connections += 1
        self.say(box.greeting)
        sender, to = "", []
        while line := self.rfile.readline():
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            box.words.append(word.upper())
            match word.upper():
                case "EHLO" | "HELO":
                    self.say("250-postbox")
                    if box.tls is not None and not isinstance(self.connection, ssl.SSLSocket):
                        self.say("250-STARTTLS")
                    if box.password is not None:
                        self.say("250-AUTH PLAIN")
                    self.say("250 8BITMIME")
                case "STARTTLS" if box.tls is not None:
                    self.say("220 go on")
                    super().finish()
                    self.request = box.tls.wrap_socket(self.connection, server_side=True)
                    self.setup()
                case "AUTH":
                    box.logins.append(rest)
                    self.say("235 welcome" if rest == box.password else "535 no")
                case "MAIL":
                    sender, to = rest.partition("<")[2].partition(">")[0], []
                    self.say("250 ok")
                case "RCPT":
                    address = rest.partition("<")[2].rpartition(">")[0]
                    said = box.refuses.get(address, "250 ok")
                    if said.startswith("250"):
                        to.append(address)
                    self.say(said)
                case "DATA":
                    self.say("354 go on")
                    self._data(box, sender, to)
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 ok")

    def finish(self) -> None:
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()  # the server closes only what it accepted

    def _data(self, box: "Postbox", sender: str, to: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if box.after_data.startswith("250"):
            box.received.append(Received(sender, to, b"".join(lines)))
        if box.hangs_up:
            box.received.append(Received(sender, to, b"".join(lines)))
            self.connection.close()
            raise ConnectionAbortedError
        self.say(box.after_data)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    box: "Postbox"

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks belongs to what is tested."""


class Postbox:
    """What arrived, and how the server behaves; change the fields while it runs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[Received] = []
        self.refuses: dict[str, str] = {}
        self.greeting = "220 postbox"
        self.after_data = "250 taken"
        self.hangs_up = False
        self.password: str | None = None
        self.logins: list[str] = []
        self.words: list[str] = []  # every command that came
        self.tls: ssl.SSLContext | None = None  # set: STARTTLS is offered
        self.tls_at_once = False  # with it: TLS from the first byte
        self.connections = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def subjects(self) -> list[str]:
        return [one.mail["Subject"] for one in self.received]


@contextmanager
def running(port: int = 0) -> Iterator[Postbox]:
    with _Server(("127.0.0.1", port), _Talk) as server:
        server.box = Postbox(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.box
        finally:
            server.shutdown()
            thread.join()
