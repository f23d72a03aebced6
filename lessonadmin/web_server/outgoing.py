"""The bytes of an answer on their way to a client: written by a thread, sent as fast as the client reads, never waited for.

`sendall` is what gunicorn's response calls. At any time either the loop or one thread works on it, never both.
"""

import socket


class Outgoing:
    """In front of a socket that does not block. `broken`: the client has gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._pieces = bytearray()
        self.broken = False

    def __len__(self) -> int:
        return len(self._pieces)

    def sendall(self, data: bytes) -> None:
        self._pieces += data

    def flush(self) -> bool:
        """Send what the client takes at once; False if it took nothing."""
        sent = 0
        try:
            while self._pieces:
                count = self._socket.send(self._pieces)
                sent += count
                del self._pieces[:count]
        except BlockingIOError:
            pass
        except OSError:
            self.broken = True
            self._pieces.clear()
        return sent > 0
