"""The webhook secret is changed while Mux goes on telling: nothing is refused, nothing is lost, nothing counts twice."""

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from devstack.servers import ports
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks import applier
from tests.operate.serving import web
from tests.settings import environment
from tests.signing import signature

OLD, NEW = "the-old-secret", "the-new-secret"


class Teller:
    """Mux: tells each event by every endpoint that it has, again and again until it is taken."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.secrets = [OLD]
        self.sent: set[str] = set()
        self.refused: list[int] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._tell) for _ in range(3)]

    def __enter__(self) -> "Teller":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _tell(self) -> None:
        while not self._stop.is_set():
            event_id = str(uuid.uuid4())
            body = json.dumps({"type": "video.asset.created", "id": event_id, "data": {"id": "x"}}).encode()
            for secret in list(self.secrets):
                while not self._taken(body, secret):
                    if self._stop.wait(0.05):
                        return
            self.sent.add(event_id)
            time.sleep(0.005)

    def _taken(self, body: bytes, secret: str) -> bool:
        headers = {
            "Mux-Signature": signature(body, secret, now=time.time()),
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(f"{self.address}/api/webhooks/mux", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status) == 204
        except urllib.error.HTTPError as error:
            with error:
                self.refused.append(error.code)
            return error.code == 401  # it will not be taken by being told again
        except OSError:
            return False  # web is being restarted; Mux goes on trying for a day


@pytest.fixture
def settings(pg_url: str, redis_url: str, app: object, tmp_path: Path) -> dict[str, str]:
    return environment(
        database_url=pg_url,
        redis_url=redis_url,
        HOST="127.0.0.1",
        PORT=str(ports.any_free()),
        WEB_CONCURRENCY="1",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )


def told_enough(teller: Teller) -> None:
    until = time.monotonic() + 20
    target = len(teller.sent) + 40
    while len(teller.sent) < target:
        assert time.monotonic() < until, "nothing is taken any more"
        time.sleep(0.05)


def test_in_the_order_of_the_document_nothing_is_refused(settings: dict[str, str], session: Session) -> None:
    with Teller(f"http://127.0.0.1:{settings['PORT']}") as teller:
        with web({**settings, "MUX_WEBHOOK_SECRETS": OLD}):
            told_enough(teller)
        with web({**settings, "MUX_WEBHOOK_SECRETS": f"{OLD},{NEW}"}):
            teller.secrets = [OLD, NEW]  # the second endpoint
            told_enough(teller)
            teller.secrets = [NEW]  # the first one is deleted
            told_enough(teller)
            time.sleep(0.3)  # what was on its way by the old one
        with web({**settings, "MUX_WEBHOOK_SECRETS": NEW}):
            told_enough(teller)
            teller.__exit__()
    assert teller.refused == []
    applier.drain()  # what came last was stored, and nothing ran any more that applies it
    stored = set(session.scalars(select(MuxEvent.mux_event_id)))
    assert teller.sent <= stored
    assert session.scalar(select(func.count(MuxEvent.id))) == len(stored)


def test_of_the_test_the_wrong_order_is_noticed(settings: dict[str, str], session: Session) -> None:
    """The control: the endpoint is changed before the settings are."""
    with web({**settings, "MUX_WEBHOOK_SECRETS": OLD}) as address, Teller(address) as teller:
        told_enough(teller)
        teller.secrets = [NEW]
        time.sleep(0.5)
    assert set(teller.refused) == {401}
