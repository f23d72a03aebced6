"""Playback."""

from flask import Blueprint

blueprint = Blueprint("playback", __name__)
