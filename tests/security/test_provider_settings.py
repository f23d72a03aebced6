"""The settings of single sign-on as operators write them."""

import pytest

from lessonadmin.security import provider_settings


@pytest.mark.parametrize(
    "value",
    [
        "https://login.school.example",
        "https://login.school.example/tenant/v2.0/",
        "http://127.0.0.1:9400",
        "http://localhost",
    ],
)
def test_an_issuer_stays_as_it_is_written(value: str) -> None:
    assert provider_settings.issuer(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "http://login.school.example",
        "https://a@b.example",
        "https://b.example?x=1",
        "https://b.example#x",
        "ftp://b.example",
        "b.example",
        "https://",
    ],
)
def test_an_issuer_that_could_be_overheard_or_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        provider_settings.issuer(value)


def test_roles_are_read_from_their_end() -> None:
    assert provider_settings.roles(("a b = support", "cn=x=student")) == (
        ("a b", "support"),
        ("cn=x", "student"),
    )


@pytest.mark.parametrize("item", ["staff", "=support", "staff=", "staff=admin", "staff=Support"])
def test_what_gives_no_role_or_makes_an_admin_is_refused(item: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        provider_settings.roles((item,))
