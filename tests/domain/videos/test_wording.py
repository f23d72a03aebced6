"""Every cause that can be told of has its words, for one video and for many."""

from lessonadmin.domain.videos import wording


def test_every_failure_of_one_has_words_for_many() -> None:
    assert set(wording.FAILURE_SENTENCES_FOR_MANY) == {*wording.FAILURE_SENTENCES, "stuck", "held"}
    assert wording.why_many("of tomorrow") == ""
    assert wording.why_many(None) == ""


def test_headlines_count() -> None:
    assert wording.headline("video_failed") == "A video failed"
    assert wording.headline("video_failed", 12) == "12 videos failed"
    assert wording.headline("of tomorrow") == "News from Lessonadmin"
