"""Which users belong to the demo: those with an address at its domain, which does not exist in the world.

A database that holds any other user belongs to a real school. Nothing in here makes or changes an account.
"""

from sqlalchemy import ColumnElement, Select, func, select

from lessonadmin.domain.models import User

DOMAIN = "demo.example"


def _is_demo() -> ColumnElement[bool]:
    return func.lower(User.email).endswith(f"@{DOMAIN}", autoescape=True)


def count_of_others() -> Select[int]:
    """How many accounts are not the demo's, disabled ones included."""
    return select(func.count()).select_from(User).where(~_is_demo())


def count_of_active() -> Select[int]:
    """How many of the demo's accounts can be used."""
    return select(func.count()).select_from(User).where(_is_demo(), User.active)
