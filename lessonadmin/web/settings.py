"""The app's settings translated into Flask's."""

from datetime import timedelta

from flask import Flask

from lessonadmin import config
from lessonadmin.database import connections
from lessonadmin.web_server import limits

ENGINE = {
    "hide_parameters": True,  # what people typed stands in no error, and so in no log and no report
    "pool_timeout": 3,
    "pool_use_lifo": True,  # few requests at a time keep to few connections, which stay warm
    "pool_recycle": 1800,
}


def init_app(app: Flask) -> None:
    settings = config.current()
    connections.use_pooler(settings.database_pooler == "transaction")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=ENGINE | {"connect_args": connections.arguments()},
        MIGRATION_DATABASE_URL=settings.migration_database_url,
        MAX_CONTENT_LENGTH=limits.MAX_BODY_BYTES,
        SESSION_COOKIE_NAME="__Host-session" if settings.https else "session",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # its twelve hours count from the sign-in; kept files carry no cookie
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        WTF_CSRF_CHECK_DEFAULT=False,  # auth decides, since a bearer token needs none
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open over lunch still saves
        WTF_CSRF_SSL_STRICT=False,  # SameSite and the token do it; some browsers send no referrer
        TEMPLATES_AUTO_RELOAD=app.debug,
    )
