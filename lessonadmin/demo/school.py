"""Who teaches what in the demo school."""

from dataclasses import dataclass
from typing import Literal

from lessonadmin.domain.accounts.demo_accounts import DOMAIN

Video = Literal["none", "plays", "broken", "abandoned"]


@dataclass(frozen=True)
class Account:
    email: str
    name: str
    role: str


@dataclass(frozen=True)
class DemoLesson:
    title: str
    course: str | None
    price_cents: int
    video: Video
    stays_draft: bool = False
    description: str = ""
    plays_a_day: int = 0


ACCOUNTS = (
    Account(f"admin@{DOMAIN}", "Ada Admin", "admin"),
    Account(f"support@{DOMAIN}", "Sam Support", "support"),
    Account(f"teacher@{DOMAIN}", "Tina Instructor", "instructor"),
    Account(f"student@{DOMAIN}", "Stu Student", "student"),
)
INSTRUCTOR = f"teacher@{DOMAIN}"
# They have no password: they are there for what they bought.
BUYERS = tuple(f"buyer{number}@{DOMAIN}" for number in range(1, 9))

COURSES = {
    "Watercolour for beginners": "From the first wash to a finished landscape, in six calm evenings.",
    "Bread at home": "Flour, water, salt and patience.",
}
LESSONS = (
    DemoLesson(
        "Paper, brushes, water",
        "Watercolour for beginners",
        0,
        "plays",
        description="What to buy, and what not to.",
        plays_a_day=9,
    ),
    DemoLesson(
        "The flat wash",
        "Watercolour for beginners",
        499,
        "plays",
        description="One even colour, edge to edge.",
        plays_a_day=4,
    ),
    DemoLesson("Wet in wet", "Watercolour for beginners", 499, "plays", stays_draft=True),
    DemoLesson("Skies in ten minutes", "Watercolour for beginners", 799, "broken"),
    DemoLesson(
        "Your first sourdough",
        "Bread at home",
        999,
        "plays",
        description="A starter and one good loaf.",
        plays_a_day=2,
    ),
    DemoLesson("Shaping a loaf", "Bread at home", 999, "abandoned"),
    DemoLesson("Questions and answers", None, 0, "none", description="Recorded next month."),
)
