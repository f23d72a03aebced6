"""The two kinds of failure are told apart: one may be tried again."""

from lessonadmin.oidc.errors import ProviderAway, ProviderWrong


def test_neither_is_the_other() -> None:
    assert not issubclass(ProviderAway, ProviderWrong)
    assert not issubclass(ProviderWrong, ProviderAway)
