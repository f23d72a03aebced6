"""A receiver of webhooks as a Django application has it: signature, one transaction with a lock, audit rows; for comparison only.

Runs on gunicorn in an environment of its own (`requirements.txt` beside this file) and uses nothing of the product but its tables.
"""

import hashlib
import hmac
import json
import os
import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlparse

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

TOLERANCE_SECONDS = 300
SECRET = os.environ["MUX_WEBHOOK_SECRETS"].encode()


def _database() -> dict[str, Any]:
    parsed = urlparse(os.environ["DATABASE_URL"])
    asked = parse_qs(parsed.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parsed.path.lstrip("/"),
        "USER": parsed.username,
        "HOST": asked["host"][0],
        "OPTIONS": {"options": asked.get("options", [""])[0]},
        "CONN_MAX_AGE": None,  # each thread keeps its connection, as the product does
    }


settings.configure(
    DATABASES={"default": _database()},
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGGING={
        "version": 1,
        "handlers": {"file": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["file"], "level": "WARNING"},
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()


class Table(models.Model):
    """A table of the product, as far as this receiver uses it."""

    id = models.UUIDField(primary_key=True, db_default=models.Func(function="gen_random_uuid"))

    class Meta:
        abstract = True
        managed = False
        app_label = "bench"


class Event(Table):
    mux_event_id = models.TextField(unique=True)
    type = models.TextField()
    object_id = models.TextField()
    outcome = models.TextField(default="applied")
    attempts = models.IntegerField(default=1)
    received_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(default=timezone.now)
    payload = models.JSONField()

    class Meta(Table.Meta):
        db_table = "mux_events"


class Video(Table):
    """What an upload and its lesson both say about the video."""

    mux_asset_id = models.TextField()
    mux_playback_id = models.TextField()
    playback_policy = models.TextField()
    updated_at = models.DateTimeField()

    class Meta(Table.Meta):
        abstract = True

    def show(self, data: dict[str, Any], now: datetime) -> None:
        playback = data["playback_ids"][0]
        self.mux_asset_id, self.mux_playback_id = data["id"], playback["id"]
        self.playback_policy, self.updated_at = playback["policy"], now


class Lesson(Video):
    status = models.TextField()
    publish_on_ready = models.BooleanField()
    published_at = models.DateTimeField(null=True)
    video_processing_status = models.TextField()
    video_duration = models.FloatField(null=True)
    version = models.IntegerField()

    class Meta(Table.Meta):
        db_table = "lessons"


class Upload(Video):
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE)
    upload_id = models.TextField()
    status = models.TextField()
    duration = models.FloatField(null=True)
    ready_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "mux_asset_tracking"


class Audit(Table):
    at = models.DateTimeField(default=timezone.now)
    actor_type = models.TextField(default="webhook")
    action = models.TextField()
    target_type = models.TextField(default="lesson")
    target_id = models.UUIDField()

    class Meta(Table.Meta):
        db_table = "audit_log"


def _is_genuine(header: str, body: bytes) -> bool:
    stamp, _, signature = header.removeprefix("t=").partition(",v1=")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE_SECONDS:
        return False
    wanted = hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, signature)


@transaction.atomic
def _apply(event: dict[str, Any]) -> None:
    data = event["data"]
    row = Event(mux_event_id=event["id"], type=event["type"], object_id=data["id"], payload=event)
    Event.objects.bulk_create([row], ignore_conflicts=True)
    upload = Upload.objects.filter(upload_id=data["upload_id"]).first()
    if upload is None or event["type"] != "video.asset.ready":
        return
    lesson = Lesson.objects.select_for_update().get(id=upload.lesson_id)
    if lesson.video_processing_status == "ready":
        return  # a second copy of the event, or another one that came first
    _publish(upload, lesson, data)


def _publish(upload: Upload, lesson: Lesson, data: dict[str, Any]) -> None:
    now = timezone.now()
    upload.show(data, now)
    upload.status, upload.duration, upload.ready_at = "ready", data["duration"], now
    upload.save()
    lesson.show(data, now)
    lesson.video_processing_status, lesson.video_duration = "ready", data["duration"]
    lesson.status, lesson.published_at = "published", now
    lesson.version += 1
    lesson.save()
    Audit.objects.bulk_create(
        Audit(action=action, target_id=lesson.id) for action in ("video.ready", "lesson.published")
    )


def receive(request: HttpRequest) -> HttpResponse:
    body = request.body
    if not _is_genuine(request.headers.get("Mux-Signature", ""), body):
        return HttpResponse(status=401)
    _apply(json.loads(body))
    return HttpResponse(status=204)


urlpatterns = [path("api/webhooks/mux", receive)]
application = WSGIHandler()
