"""What mails with links say: the way in, how long it is open, and what to do if it was not you."""

import pytest

from lessonadmin.domain.account_life import link_text
from lessonadmin.domain.models import AccountLink, User
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("app")


def text_of(kind: str, **columns: str) -> str:
    user = User(**{"email": "ada@school.example", "name": "Ada", "role": "instructor", **columns})
    link = AccountLink(kind=kind, email=user.email, mail_attempts=1)
    with overridden(public_url="https://lessons.school.example"):
        mail = link_text.write(link, user, "S3CRET")
    assert mail["To"] == "ada@school.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    return str(mail.get_content())


@pytest.mark.parametrize(
    ("kind", "path", "life"),
    [
        ("password_reset", "/reset-password/S3CRET", "within 30 minutes"),
        ("invitation", "/invitation/S3CRET", "within 7 days"),
        ("new_address", "/new-address/S3CRET", "within 24 hours"),
    ],
)
def test_each_has_its_link_on_a_line_of_its_own_and_says_how_long_it_works(
    kind: str, path: str, life: str
) -> None:
    text = text_of(kind)
    assert f"\n\nhttps://lessons.school.example{path}\n\n" in text
    assert life in text
    assert "you need not do anything" in text


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("student", "as a student"),
        ("instructor", "as an instructor"),
        ("support", "as a member of support"),
        ("admin", "as an admin"),
    ],
)
def test_an_invitation_says_as_what(role: str, words: str) -> None:
    assert words in text_of("invitation", role=role)
    assert text_of("invitation").startswith("Hello Ada,")
    assert text_of("invitation", name="").startswith("There is an account for you")
