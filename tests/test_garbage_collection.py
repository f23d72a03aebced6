"""What is loaded at the start is kept out of the garbage collector's sight, in gunicorn's own processes too."""

import gc
import runpy
import sys
from collections.abc import Iterator

import pytest
from flask import Flask

from devstack.places import ROOT
from lessonadmin import config, create_app, garbage_collection


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_loaded_is_not_looked_at_again(collector: None) -> None:
    garbage_collection.keep_what_is_loaded()
    frozen = gc.get_freeze_count()
    assert frozen > 50_000
    assert len(gc.get_objects()) < frozen / 10
    assert gc.get_threshold() == garbage_collection.THRESHOLDS


def test_gunicorn_does_it_before_it_forks(
    collector: None, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("lessonadmin.web.startup_check.refusal", lambda _app: done.append("looked") or None)
    monkeypatch.setattr(garbage_collection, "keep_what_is_loaded", lambda: done.append("kept"))
    monkeypatch.setitem(sys.modules, "app", type("Module", (), {"app": app}))
    runpy.run_path(str(ROOT / "gunicorn.conf.py"))["on_starting"](None)
    assert done == ["looked", "kept"]


def test_while_an_application_is_made_it_is_off_and_then_on_again(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(config, "use", lambda _settings: seen.append(gc.isenabled()))
    create_app(config.current())
    assert seen == [False]
    assert gc.isenabled()


def test_it_is_on_again_after_an_error_and_stays_off_where_it_was() -> None:
    with pytest.raises(ValueError, match="broken"), garbage_collection.paused():
        raise ValueError("broken")
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage_collection.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
