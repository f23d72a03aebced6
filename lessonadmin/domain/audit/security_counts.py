"""Refusals counted a minute at a time: what the alarms of a burst and the panel's figures read.

A row is a minute and a kind, and an account where a burst of one account is meant. It knows no typed address, no address
of a network and no text of a request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db
from lessonadmin.domain.models import SecurityCount

DAY = timedelta(hours=24)
# The most within any five minutes of the last quarter of an hour: an alarm ends a while after the burst, and does not
# come and go with every pause of an attacker.
BUSIEST = text("""SELECT who, most FROM (
  SELECT who, sum(sum(count)) OVER (PARTITION BY who ORDER BY minute
           RANGE BETWEEN interval '4 minutes' PRECEDING AND CURRENT ROW) AS most
    FROM (SELECT minute, CASE WHEN CAST(:each AS boolean) THEN who ELSE '' END AS who, count FROM security_counts
           WHERE kind = ANY(:kinds) AND minute > clock_timestamp() - interval '15 minutes') AS lately
   GROUP BY who, minute) AS windows
 WHERE NOT CAST(:each AS boolean) OR who <> '' ORDER BY most DESC LIMIT 1""")


@dataclass(frozen=True)
class Burst:
    """The busiest five minutes of late, and whose they were where one account is meant."""

    who: str
    count: int


@dataclass(frozen=True)
class Total:
    """How often a kind happened within a day, and in which minute last."""

    kind: str
    count: int
    latest: datetime


def write(counts: Mapping[tuple[str, str], int], connection: Connection) -> None:
    """Add to the present minute; the caller commits."""
    minute = func.date_trunc("minute", func.clock_timestamp())
    # In one order, so that two processes that write at once never wait for each other.
    rows = [
        {"minute": minute, "kind": kind, "who": who, "count": count}
        for (kind, who), count in sorted(counts.items())
    ]
    statement = insert(SecurityCount).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["minute", "kind", "who"],
            set_={"count": SecurityCount.count + statement.excluded.count},
        )
    )


def busiest(kinds: Iterable[str], *, of_one_account: bool = False) -> Burst:
    """The most that was refused within five minutes, by all together or by one account."""
    row = db.session.execute(BUSIEST, {"kinds": list(kinds), "each": of_one_account}).first()
    return Burst(row.who, int(row.most)) if row is not None else Burst("", 0)


def last_day() -> list[Total]:
    """What happened within 24 hours, the most frequent kind first."""
    total = func.sum(SecurityCount.count)
    rows = db.session.execute(
        select(SecurityCount.kind, total, func.max(SecurityCount.minute))
        .where(SecurityCount.minute > func.now() - DAY)
        .group_by(SecurityCount.kind)
        .order_by(total.desc(), SecurityCount.kind)
    )
    return [Total(kind, int(count), latest) for kind, count, latest in rows]
