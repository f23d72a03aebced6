"""Captions at Mux: made of the speech or fetched from an address, removed, and their text read.

Each call is one request, and a creation is never repeated, as in `api`. What captions mean for a lesson is decided elsewhere.
"""

from typing import Any

import mux_python
import urllib3

from lessonadmin import config, outbound
from lessonadmin.mux import fields, responses, transport
from lessonadmin.mux.errors import Nonsense
from lessonadmin.mux.payloads import TextTrack, text_track_from
from lessonadmin.mux.request import RAW_ANSWER, MuxRequest, mux_request, valid_id
from lessonadmin.mux.transport import Priority


def generate_captions(
    asset_id: str, audio_track_id: str, *, language: str, name: str, passthrough: str, priority: Priority
) -> TextTrack:
    """Have captions made of the speech. An error leaves open whether Mux makes them: look at the asset, where the track that
    was made has this passthrough, and never repeat."""
    valid_id("track", audio_track_id)
    body = {"generated_subtitles": [{"language_code": language, "name": name, "passthrough": passthrough}]}
    with mux_request("generate_captions", "asset", asset_id, priority=priority) as ask:
        made, _ = ask.rows(
            lambda sdk: mux_python.AssetsApi(sdk).generate_asset_track_subtitles(
                asset_id, audio_track_id, body, **RAW_ANSWER
            )
        )
        return _text_track(ask, next((one for one in made if _has_passthrough(one, passthrough)), None))


def add_text_track(
    asset_id: str, *, url: str, language: str, name: str, passthrough: str, priority: Priority
) -> TextTrack:
    """Have Mux fetch captions from this address, which it does right after its answer. An error leaves open whether it does: as with
    `generate_captions`."""
    body = {
        "url": url,
        "type": "text",
        "text_type": "subtitles",
        "language_code": language,
        "name": name,
        "passthrough": passthrough,
        "closed_captions": True,
    }
    with mux_request("add_text_track", "asset", asset_id, priority=priority) as ask:
        made = ask.value(
            lambda sdk: mux_python.AssetsApi(sdk).create_asset_track(asset_id, body, **RAW_ANSWER)
        )
        return _text_track(ask, made["data"])


def delete_track(asset_id: str, track_id: str, *, priority: Priority) -> None:
    """Gone means that it is done already."""
    valid_id("track", track_id)
    with mux_request("delete_track", "asset", asset_id, priority=priority) as ask:
        answer = ask.send(
            lambda sdk: mux_python.AssetsApi(sdk).delete_asset_track(asset_id, track_id, **RAW_ANSWER)
        )
        responses.check_success(ask.question, answer)


def _has_passthrough(value: Any, passthrough: str) -> bool:
    return fields.mapping(value).get("passthrough") == passthrough


def _text_track(ask: MuxRequest, value: object) -> TextTrack:
    found = text_track_from(value)
    if found is None:
        raise responses.nonsense("it was no text track", status=ask.status)
    return found


def read_captions(playback_id: str, track_id: str, *, token: str | None, priority: Priority) -> bytes:
    """WebVTT of one track, from where players fetch it; nothing in here reads it. That host is not the API: it takes no access token, and its
    404 is not the API's, so every answer but the text itself is a failure that says nothing about the video."""
    valid_id("track", track_id)
    with mux_request("read_captions", "playback", playback_id, priority=priority) as ask:
        url = f"{config.current().mux_stream_url}/{playback_id}/text/{track_id}.vtt"
        pools = urllib3.PoolManager(
            retries=urllib3.Retry(0, redirect=False, respect_retry_after_header=False)
        )
        pools.pool_classes_by_scheme = outbound.POOLS
        try:
            with pools:
                answer = transport.request_without_token(
                    pools, "GET", url + (f"?token={token}" if token else ""), headers={}, body=None
                )
        except (urllib3.exceptions.HTTPError, outbound.BodyTooLarge, OSError) as error:
            raise responses.connection_error(error) from error
        ask.status = answer.status
        if answer.status == 429 or answer.status >= 500:
            raise responses.failure(ask.question, answer)
        if answer.status != 200:
            raise Nonsense(f"Mux gave no captions ({answer.status}).", status=answer.status)
        return answer.body
