"""The simulator that the current request is for."""

from typing import cast

from flask import current_app

from muxsim.core import Core


def sim() -> Core:
    return cast("Core", current_app.extensions["muxsim"])
