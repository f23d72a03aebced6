"""Doctor checks of the surroundings: Redis and its queues, PUBLIC_URL, the mail server, the disk, the file store."""

import ipaddress
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from lessonadmin import file_store as store
from lessonadmin import queue
from lessonadmin.domain import heartbeats
from lessonadmin.domain.accounts import demo_accounts
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line, fail, ok, warn
from lessonadmin.domain.lesson_files import contents
from lessonadmin.domain.notifications import smtp
from lessonadmin.redis_queue import redis_access as access
from lessonadmin.redis_queue.job_list import QUEUES
from lessonadmin.security.addresses import UNIX

GIB = 1024**3
LITTLE, TOO_LITTLE = 1 * GIB, GIB // 5
MANY_JOBS = 500
MANUAL = "docs/operate.md, Redis"
REMEMBERED = timedelta(hours=1)


def redis(_context: DoctorContext) -> list[Line]:
    """Does it answer, and do jobs pile up?"""
    if not queue.answers():
        return [
            fail(
                "Redis",
                "It does not answer.",
                "Start it, or correct REDIS_URL. Until then nothing is lost: the clock's sweep finds all work in the database.",
            )
        ]
    waiting = {name: queue.queue(name).count for name in QUEUES}
    told = ", ".join(f"{name} {count}" for name, count in waiting.items())
    if max(waiting.values()) >= MANY_JOBS:
        return [
            ok("Redis", "It answers."),
            warn(
                "queues",
                f"Many jobs are waiting ({told}).",
                "Start more workers, or check the failed jobs in the panel.",
            ),
        ]
    return [ok("Redis", "It answers."), ok("queues", f"Waiting jobs: {told}.")]


def redis_access(context: DoctorContext) -> list[Line]:
    """A client that writes to Redis can invent, lose and repeat jobs: can a stranger?"""
    found = access.look(context.settings.redis_url)
    if found.open_at:
        return [
            fail(
                "Redis access",
                f"Anyone who reaches {found.open_at[0]} can control it, without a password.",
                f"Give it a user with a password and put that into REDIS_URL ({MANUAL}).",
            )
        ]
    if found.easy:
        return [
            fail(
                "Redis access",
                f"Its password at {found.where} is short or a common one.",
                f"Give its user a long random one, and put that into REDIS_URL ({MANUAL}).",
            )
        ]
    if not found.encrypted and found.far:
        return [
            warn(
                "Redis access",
                f"The way to {found.where} is not encrypted: who listens there learns the password.",
                f"Let Redis speak TLS and begin REDIS_URL with rediss:// ({MANUAL}).",
            )
        ]
    return [ok("Redis access", f"{found.where} accepts no connection without a password.")]


def public_url(context: DoctorContext) -> list[Line]:
    """It is the origin that Mux lets upload, and the address that Mux calls."""
    address = context.settings.public_url
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.path not in ("", "/") or parts.username:
        return [
            fail(
                "PUBLIC_URL",
                f"{parts.scheme}://{host} has more than an origin behind it: browsers send no path, so Mux refuses every upload.",
                "Set it to scheme, host and port only, such as https://lessons.example.org",
            )
        ]
    if _local(host):
        return _local_address(context, address)
    if parts.scheme != "https":
        return [
            warn(
                "PUBLIC_URL",
                f"{address} is not https: cookies and passwords are sent unencrypted.",
                "Serve it over https.",
            )
        ]
    return [ok("PUBLIC_URL", f"{address} is the cors_origin of uploads.")]


def _local_address(context: DoctorContext, address: str) -> list[Line]:
    mux_host = urlsplit(context.settings.mux_api_url).hostname or ""
    if not _local(mux_host):
        return [
            warn(
                "PUBLIC_URL",
                f"{address} is of this machine only: Mux cannot call it, so no webhook will come.",
                "Set it to the public address of this server.",
            )
        ]
    return [ok("PUBLIC_URL", f"{address}; Mux is played by a simulator ({context.settings.mux_api_url}).")]


def _local(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".test")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def demo(context: DoctorContext) -> list[Line]:
    """Are accounts that are meant for trying out open to a real school's visitors?"""
    if not context.settings.mux_is_real and not context.settings.https:
        return [ok("demo", "Mux is simulated and PUBLIC_URL is not https: demo accounts do no harm.")]
    with context.connection() as connection:
        active = connection.execute(demo_accounts.count_of_active()).scalar_one()
    if active:
        return [
            fail(
                "demo",
                f"Demo accounts are active: {active} with an address at {demo_accounts.DOMAIN}.",
                "Disable each: flask users disable EMAIL (or in the panel under Accounts).",
            )
        ]
    return [ok("demo", "No demo account is active.")]


def mail(context: DoctorContext) -> list[Line]:
    """Would mails leave, and not in the clear?"""
    address = context.settings.mail_url
    if address is None:
        return [ok("mail", "MAIL_URL is not set: notifications are in-app only.")]
    try:
        safe = smtp.knock()
    except smtp.Away as error:
        return [
            fail(
                "mail",
                f"Mail cannot be sent: {error}.",
                "Correct MAIL_URL, or the mail server: it must answer, offer TLS with a certificate that this machine trusts, and "
                "take the password. Notifications wait, and are shown in the app meanwhile.",
            )
        ]
    if safe:
        return [ok("mail", f"The mail server accepts the sign-in ({safe}).")]
    if urlsplit(address).scheme == "smtp+insecure":
        return [
            warn(
                "mail",
                "Mail is sent unencrypted (smtp+insecure://).",
                "Use smtp:// or smtps:// if the mail server has TLS.",
            )
        ]
    return [ok("mail", "The mail server of this machine accepts mail.")]


def proxies(context: DoctorContext) -> list[Line]:
    """Does an untrusted proxy write where requests come from?"""
    believed = context.settings.trusted_proxies
    with context.connection() as connection:
        seen = heartbeats.unheard(connection, within=REMEMBERED)
    peer = str(seen["peer"]) if seen is not None else ""
    if seen is None or believed.holds(peer):
        named = "Those that TRUSTED_PROXIES names say where requests come from." if believed else ""
        return [ok("proxies", named or "No proxy is trusted, and none was seen.")]
    return [
        warn(
            "proxies",
            f"Requests come from {peer or 'a unix socket'} with X-Forwarded-For, which TRUSTED_PROXIES does not name: "
            "everyone behind it counts as one address.",
            f"If that is a proxy of yours, set TRUSTED_PROXIES={peer or UNIX} (several are separated by commas). "
            "If not, requests reach web past the proxy: let only the proxy in.",
        )
    ]


def disk(_context: DoctorContext) -> list[Line]:
    """Of this machine; the database's own disk cannot be seen from here."""
    spaces: dict[tuple[int, int], Path] = {}
    for place in (Path.cwd(), Path(tempfile.gettempdir())):
        usage = shutil.disk_usage(place)
        spaces.setdefault((usage.total, usage.free), place)
    lines = []
    for (total, free), place in spaces.items():
        said = f"{free / GIB:.1f} of {total / GIB:.0f} GiB are free at {place}."
        todo = "Free some space: logs, old releases, instance/."
        if free < TOO_LITTLE:
            lines.append(fail("disk", said, todo))
        else:
            lines.append(warn("disk", said, todo) if free < LITTLE else ok("disk", said))
    return lines


def file_store(_context: DoctorContext) -> list[Line]:
    """Does the bucket for files of lessons answer, and does it take what is waiting?"""
    if not store.is_on():
        return [ok("files", "Files of lessons are kept in PostgreSQL.")]
    try:
        store.check()
    except store.FileStoreError as error:
        return [
            fail(
                "files",
                f"The file store does not answer as it should ({error}): new files wait in PostgreSQL, older ones cannot be downloaded.",
                "Check FILES_BUCKET, FILES_ENDPOINT and the two keys, and that the service is up.",
            )
        ]
    if waiting := contents.waiting_for_store():
        return [
            warn(
                "files",
                f"The file store answers, but files have waited for it for more than an hour: {waiting}.",
                "Check that the clock runs (`clock` in this list) and that its key may write.",
            )
        ]
    return [ok("files", "The file store answers.")]
