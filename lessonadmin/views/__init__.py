"""Pages and JSON, one blueprint a subject. A view reads input, calls the domain and answers; it makes no query."""

from flask import Flask

from lessonadmin.views import (
    account,
    account_links,
    api,
    catalog,
    courses,
    edit_history,  # noqa: F401 - adds pages to the blueprints of lessons and courses
    figures,
    health,
    home,
    lessons,
    metrics,
    navigation,
    notices,
    second_step,
    security_contact,
    sign_in,
    sign_in_methods,
    single_sign_on,
    webhooks,
)
from lessonadmin.views.lessons import shared_preview
from lessonadmin.views.videos import caption_text, trash

BLUEPRINTS = (
    health.bp,
    metrics.bp,
    sign_in.bp,
    second_step.bp,
    single_sign_on.bp,
    security_contact.bp,
    home.bp,
    account.bp,
    sign_in_methods.bp,
    account_links.bp,
    shared_preview.bp,
    caption_text.bp,
    notices.bp,
    lessons.bp,
    courses.bp,
    trash.bp,
    figures.bp,
    catalog.bp,
    api.bp,
)


def init_app(app: Flask) -> None:
    navigation.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    webhooks.init_app(app)
