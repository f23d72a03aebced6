"""The web: pages and JSON, one blueprint a subject. A view reads input, calls one domain function and answers."""

from flask import Flask

from lessonadmin.views import account, health, home, metrics, sign_in

BLUEPRINTS = (health.bp, metrics.bp, sign_in.bp, home.bp, account.bp)


def init_app(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
