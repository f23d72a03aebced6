"""The file store: a bucket of an S3-compatible service, for files that need not be in PostgreSQL. The only module that speaks to it.

Whatever goes wrong there is one exception, `FileStoreError`: its text names the kind of error and never a key. Nothing in here knows what a
file is for, or who may have it.
"""

import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lessonadmin import config

CONNECT_SECONDS, READ_SECONDS = 3, 20
CHUNK_BYTES = 256 * 1024

_making = threading.Lock()


class FileStoreError(Exception):
    """The store did not do what it was asked; it may be asked again."""


def is_on() -> bool:
    return config.current().files_bucket is not None


def put(key: str, data: bytes) -> None:
    """Keep these bytes under this key; the same again does no harm."""
    _ask("put_object", Key=key, Body=data)


def read(key: str, *, start: int = 0) -> Iterator[bytes]:
    """The bytes from this one on. The first chunk is here when the call returns, so an error comes before anything is sent."""
    body = _ask("get_object", Key=key, **({"Range": f"bytes={start}-"} if start else {}))["Body"]
    chunks = _chunks(body)
    first = next(chunks, b"")
    return _joined(first, chunks)


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _chunks(body: Any) -> Iterator[bytes]:
    try:
        yield from body.iter_chunks(CHUNK_BYTES)
    except Exception as error:  # of urllib3 and of botocore, which share no ancestor
        raise FileStoreError(type(error).__name__) from error
    finally:
        body.close()


def delete(key: str) -> None:
    """It is gone, also if it was not there."""
    _ask("delete_object", Key=key)


def check() -> None:
    """Does the bucket answer, and may its key look at it?"""
    _ask("head_bucket")


def _ask(operation: str, **arguments: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    settings = config.current()
    try:
        return getattr(_client(settings), operation)(Bucket=settings.files_bucket, **arguments)
    except ClientError as error:
        raise FileStoreError(str(error.response.get("Error", {}).get("Code", "ClientError"))) from error
    except BotoCoreError as error:
        raise FileStoreError(type(error).__name__) from error


def _client(settings: config.Settings) -> Any:
    with _making:  # making one is not safe in two threads at once, using one is
        return _made(
            settings.files_endpoint,
            settings.files_region,
            settings.files_access_key_id,
            settings.files_secret_access_key,
        )


@lru_cache(maxsize=4)
def _made(endpoint: str | None, region: str, key_id: str | None, secret: str | None) -> Any:
    # an installation without a store never loads its library
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            s3={"addressing_style": "path"},
            # checksums of a newer kind are not understood by every compatible store
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            signature_version="s3v4",
        ),
    )
