"""The file store is spoken to over real HTTP, with signed requests; whatever goes wrong is one exception without a secret."""

from collections.abc import Iterator

import pytest

from lessonadmin import file_store
from lessonadmin.file_store import FileStoreError
from tests import file_store as stand_in
from tests.file_store import Store
from tests.settings import overridden

pytestmark = [pytest.mark.usefixtures("settings"), pytest.mark.enable_socket]


@pytest.fixture
def store() -> Iterator[Store]:
    with stand_in.file_store() as found:
        yield found


def test_what_is_put_is_read_from_any_byte_and_deleted(store: Store) -> None:
    data = bytes(range(256)) * 4000
    file_store.put("a", data)
    assert b"".join(file_store.read("a")) == data
    assert b"".join(file_store.read("a", start=1_000_001)) == data[1_000_001:]
    file_store.check()
    for _ in range(2):  # also what is not there
        file_store.delete("a")
    assert store.objects == {}


def test_a_missing_file_a_wrong_secret_and_a_wrong_bucket_are_errors_before_the_first_byte(
    store: Store,
) -> None:
    with pytest.raises(FileStoreError, match="NoSuchKey"):
        file_store.read("a")
    with (
        overridden(files_secret_access_key="another"),
        pytest.raises(FileStoreError, match="Signature") as no,
    ):
        file_store.put("a", b"x")
    assert "another" not in str(no.value)
    with overridden(files_bucket="other"), pytest.raises(FileStoreError):
        file_store.check()
    assert store.objects == {}


def test_a_store_that_fails_or_is_away_is_asked_twice_at_the_most(store: Store) -> None:
    store.fails = 503
    with pytest.raises(FileStoreError):
        file_store.put("a", b"x")
    assert len(store.asked) == 2
    with overridden(files_endpoint="http://127.0.0.1:1"), pytest.raises(FileStoreError):
        file_store.put("a", b"x")


def test_without_a_bucket_it_is_off() -> None:
    assert not file_store.is_on()
