"""Which accounts a database has that the environment names: none, the demo's, or a real school's.

Asked before anything is started or migrated, and changes nothing.
"""

from contextlib import closing
from dataclasses import dataclass

import psycopg

from devstack.errors import SetupError


@dataclass(frozen=True)
class Residents:
    """How many accounts are the demo's, and how many are not."""

    demo: int = 0
    others: int = 0


def read(url: str) -> Residents:
    """None, where there is no table of people yet."""
    from lessonadmin.domain.accounts.demo_accounts import DOMAIN

    where = "postgresql://" + url.partition("://")[2]
    with closing(psycopg.connect(where, connect_timeout=5)) as connection:
        if connection.execute("SELECT to_regclass('users')").fetchone() == (None,):
            return Residents()
        rows = connection.execute(
            "SELECT lower(email) LIKE %s, count(*) FROM users GROUP BY 1", [f"%@{DOMAIN}"]
        )
        counts: dict[bool, int] = dict(rows.fetchall())
    return Residents(demo=counts.get(True, 0), others=counts.get(False, 0))


def refuse_a_real_school(found: Residents) -> None:
    """With a simulator every true video would be unknown, and so would be taken for deleted."""
    if found.others:
        named = "an account that is" if found.others == 1 else f"{found.others} accounts that are"
        raise SetupError(
            f"The database that DATABASE_URL names holds {named} not the demo's, and Mux would be simulated: "
            "set MUX_API_URL and MUX_TOKEN_ID too, or name another database."
        )
