"""The only package that knows Mux's API, its webhooks, its tokens and its Python package.

`audit_log` asks Mux (by way of `ask_now`), `errors` are the four kinds of failure, `payloads` and `events` the dataclasses, `signatures` and
`tokens` the cryptography, `probe` a script for a person who wants to know what Mux really answers. It knows nothing of lessons,
of the web or of the database, and decides nothing.
"""

from lessonadmin.mux.api import (
    AUTOMATIC,
    LANGUAGES,
    Identity,
    Ping,
    SigningKey,
    cancel_upload,
    create_playback_id,
    create_upload,
    delete_asset,
    delete_playback_id,
    get_asset,
    get_upload,
    list_assets,
    list_signing_keys,
    list_uploads,
    ping,
    whoami,
)
from lessonadmin.mux.errors import Category, Gone, Kind, Later, MuxError, Nonsense, Refused
from lessonadmin.mux.events import BadPayload, Event, read_event, read_id_and_type, read_stored_event
from lessonadmin.mux.passthrough import Passthrough, parse_passthrough
from lessonadmin.mux.payloads import (
    Asset,
    AssetPage,
    AssetStatus,
    PlaybackId,
    TextTrack,
    TrackStatus,
    Upload,
    UploadStatus,
)
from lessonadmin.mux.playback_tokens import Audience, BadSigningKey, check_signing_key, playback_token
from lessonadmin.mux.request import RateLeft, rate_left
from lessonadmin.mux.responses import TOKEN_NAMES
from lessonadmin.mux.signatures import BadSignature, Reason, hint, verify
from lessonadmin.mux.text_tracks import add_text_track, delete_track, generate_captions, read_captions
from lessonadmin.mux.transport import Priority
from lessonadmin.mux.viewing import (
    AmountPage,
    DeliveryUsage,
    delivered_seconds,
    delivery_usage,
    newest_day,
    oldest_day,
    plays,
)

__all__ = [
    "AUTOMATIC",
    "LANGUAGES",
    "TOKEN_NAMES",
    "AmountPage",
    "Asset",
    "AssetPage",
    "AssetStatus",
    "Audience",
    "BadPayload",
    "BadSignature",
    "BadSigningKey",
    "Category",
    "DeliveryUsage",
    "Event",
    "Gone",
    "Identity",
    "Kind",
    "Later",
    "MuxError",
    "Nonsense",
    "Passthrough",
    "Ping",
    "PlaybackId",
    "Priority",
    "RateLeft",
    "Reason",
    "Refused",
    "SigningKey",
    "TextTrack",
    "TrackStatus",
    "Upload",
    "UploadStatus",
    "add_text_track",
    "cancel_upload",
    "check_signing_key",
    "create_playback_id",
    "create_upload",
    "delete_asset",
    "delete_playback_id",
    "delete_track",
    "delivered_seconds",
    "delivery_usage",
    "generate_captions",
    "get_asset",
    "get_upload",
    "hint",
    "list_assets",
    "list_signing_keys",
    "list_uploads",
    "newest_day",
    "oldest_day",
    "parse_passthrough",
    "ping",
    "playback_token",
    "plays",
    "rate_left",
    "read_captions",
    "read_event",
    "read_id_and_type",
    "read_stored_event",
    "verify",
    "whoami",
]  # fmt: skip
