"""A Django admin over the product's lessons, for comparison only: settings, one unmanaged model, one signed-in browser.

Its name in `INSTALLED_APPS` is the folder `bench`, so its addresses begin with /admin/bench/.
"""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlparse


def site(columns: tuple[str, ...]) -> tuple[Any, Callable[[], int]]:
    """A browser that is signed in, and how many statements were sent so far."""
    import django
    from django.conf import settings

    contrib = "django.contrib"
    settings.configure(
        DATABASES={"default": _database()},
        SECRET_KEY="bench",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        STATIC_URL="/static/",
        INSTALLED_APPS=[
            f"{contrib}.admin",
            f"{contrib}.auth",
            f"{contrib}.contenttypes",
            f"{contrib}.sessions",
            f"{contrib}.messages",
            "bench",
        ],
        MIDDLEWARE=[
            f"{contrib}.sessions.middleware.SessionMiddleware",
            f"{contrib}.auth.middleware.AuthenticationMiddleware",
            f"{contrib}.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                    "OPTIONS": {"context_processors": ["django.template.context_processors.request",
                                                        f"{contrib}.auth.context_processors.auth",
                                                        f"{contrib}.messages.context_processors.messages"]}}],
    )  # fmt: skip
    django.setup()
    _admin(columns)
    return _browser()


def _database() -> dict[str, Any]:
    parsed = urlparse(os.environ["DATABASE_URL"])
    asked = parse_qs(parsed.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parsed.path.lstrip("/"),
        "USER": parsed.username,
        "PASSWORD": parsed.password or "",
        "HOST": parsed.hostname or asked.get("host", [""])[0],
        "PORT": str(parsed.port or ""),
        "OPTIONS": {"options": asked.get("options", [""])[0]},
        "CONN_MAX_AGE": None,  # one connection for the whole run, as the product has
    }


def _admin(columns: tuple[str, ...]) -> None:
    from django.contrib import admin
    from django.db import models
    from django.urls import path

    kinds: dict[str, Any] = {
        "price_cents": models.IntegerField,
        "created_at": models.DateTimeField,
        "updated_at": models.DateTimeField,
    }
    fields: dict[str, Any] = {name: kinds.get(name, models.TextField)(null=True) for name in columns}
    fields["status"] = models.TextField(choices=[("draft", "Draft"), ("published", "Published")])
    meta = type("Meta", (), {"managed": False, "db_table": "lessons", "app_label": "bench"})
    fields |= {"__module__": __name__, "Meta": meta, "id": models.UUIDField(primary_key=True)}
    shown = {
        "list_display": columns,
        "list_per_page": 50,
        "search_fields": ("title",),
        "list_filter": ("status",),
        "ordering": ("-id",),
    }
    admin.site.register(
        type("Lesson", (models.Model,), fields), type("LessonAdmin", (admin.ModelAdmin,), shown)
    )
    globals()["urlpatterns"] = [path("admin/", admin.site.urls)]


def _browser() -> tuple[Any, Callable[[], int]]:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    call_command("migrate", verbosity=0)
    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    browser = Client()
    browser.force_login(user)
    sent = [0]

    def counted(execute: Any, *statement: Any) -> Any:
        sent[0] += 1
        return execute(*statement)

    connection.execute_wrappers.append(counted)
    return browser, lambda: sent[0]
