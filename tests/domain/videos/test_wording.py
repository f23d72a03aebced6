"""Every cause that can be told of has its words, for one video and for many."""

from lessonadmin.domain.videos import wording


def test_every_failure_of_one_has_words_for_many() -> None:
    assert set(wording.FAILURE_SENTENCES_FOR_MANY) == {
        *wording.FAILURE_SENTENCES,
        "stuck",
        "stuck_for_staff",
        "held",
        "no_file",
        "publication_at_risk",
        "publication_late",
        "publication_missed",
        "unpublished_in_time",
    }
    assert wording.why_many("of tomorrow") == ""
    assert wording.why_many(None) == ""


def test_headlines_count() -> None:
    assert wording.headline("video_failed") == "A video failed"
    assert wording.headline("video_failed", 12) == "12 videos failed"
    assert wording.headline("of tomorrow") == "News from Lessonadmin"


def test_a_message_does_not_repeat_its_headline() -> None:
    assert wording.beyond_headline("“Rye” is published.", "Rye") == ""
    assert wording.beyond_headline("The video of “Rye” failed. Why.", "Rye") == "Why."
    assert (
        wording.beyond_headline("The video of “Rye” failed. Why.", "Oats")
        == "The video of “Rye” failed. Why."
    )


def test_an_upload_that_could_not_begin_is_not_blamed_on_its_file() -> None:
    said = wording.why_failed("upload_not_created", "Mux does not accept our access token.")
    assert said == (
        "The upload could not begin, for a reason that has nothing to do with the file:"
        " Mux does not accept our access token."
    )
    assert wording.why_failed("upload_not_created", None).endswith(wording.NO_REASON)
