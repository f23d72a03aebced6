"""A message with a button is drawn with it once, as a form with its token."""

from flask import Flask, get_flashed_messages

from lessonadmin.web import toasts


def test_the_message_carries_all_that_its_button_sends(app: Flask) -> None:
    with app.test_request_context("/"):
        toasts.flash_with_button(
            "Done.", "success", label="Undo", icon="undo", url="/undo", fields={"a": "1"}
        )
        ((tone, message),) = get_flashed_messages(with_categories=True)
    assert tone == "success"
    assert message == {
        "words": "Done.",
        "label": "Undo",
        "icon": "undo",
        "url": "/undo",
        "fields": {"a": "1"},
    }


def test_the_page_draws_a_form_that_sends_them(app: Flask) -> None:
    with app.test_request_context("/"):
        toasts.flash_with_button(
            "<b>Done</b>", "success", label="Undo", icon="undo", url="/undo", fields={"a": "1"}
        )
        drawn = app.jinja_env.from_string(
            '{% from "macros/toast.html" import toasts with context %}{{ toasts() }}'
        ).render()
    assert "&lt;b&gt;Done&lt;/b&gt;" in drawn
    assert 'action="/undo"' in drawn
    assert 'name="a" value="1"' in drawn
    assert 'name="csrf_token"' in drawn
