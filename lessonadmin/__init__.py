"""Lessonadmin: video lessons that publish themselves when they are ready.

`create_app()` is the list of what an application is made of, in order; it decides nothing.
"""

from flask import Flask

from lessonadmin import config, garbage_collection


def create_app(settings: config.Settings | None = None) -> Flask:
    with garbage_collection.paused():
        return _create_app(settings)


def _create_app(settings: config.Settings | None) -> Flask:
    from lessonadmin import admin, auth, cli, db, jobs, views, web
    from lessonadmin.observability import error_reports, logs, own_secrets
    from lessonadmin.security import browser_cookie, compression

    config.use(settings or config.load())
    own_secrets.init_app()
    logs.init_app()
    error_reports.init_app()
    app = Flask(__name__, template_folder="../templates", instance_relative_config=False)
    web.settings.init_app(app)
    compression.init_app(app)  # acts last, on what all others have made of an answer
    web.assets.init_app(app)
    web.formats.init_app(app)
    web.states.init_app(app)
    db.init_app(app)
    web.requests.init_app(app)
    web.visitors.init_app(app)
    web.headers.init_app(app)
    browser_cookie.init_app(app)
    web.redirects.init_app(app)
    auth.init_app(app)
    web.errors.init_app(app)
    views.init_app(app)
    admin.init_app(app)
    cli.init_app(app)
    jobs.init_app(app)
    return app
