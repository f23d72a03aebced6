"""Files of captions are read as people make them, faults are told with their line, and what is read is written the same."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessonadmin.text import subtitles
from lessonadmin.text.subtitles import Cue, Faulty, Subtitles
from tests.cases import each_of

VTT = """WEBVTT - Bread

NOTE made by hand

STYLE
::cue { color: red }

intro
00:01.000 --> 00:04.000 align:start
Good <i>morning</i>.

01:00:05.000 --> 01:00:07.500
Two lines
of text
"""
SRT = (
    "1\r\n00:00:01,000 --> 00:00:04,000\r\nGood morning.\r\n\r\n2\r\n00:00:05,000 --> 00:00:07,500\r\nTwo\r\n"
)


def told(text: str | bytes) -> list[str]:
    with pytest.raises(Faulty) as found:
        subtitles.read(text.encode() if isinstance(text, str) else text)
    return found.value.faults


def test_webvtt_is_read_without_its_settings_styles_and_comments() -> None:
    found = subtitles.read(VTT.encode())
    assert [(cue.start, cue.end, cue.text) for cue in found.cues] == [
        (1000, 4000, "Good <i>morning</i>."), (3_605_000, 3_607_500, "Two lines\nof text"),
    ]  # fmt: skip
    assert found.warnings == []
    assert found.as_webvtt().startswith(
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nGood <i>morning</i>.\n\n01:00:05.000"
    )


def test_subrip_becomes_webvtt() -> None:
    expected = (
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nGood morning.\n\n00:00:05.000 --> 00:00:07.500\nTwo\n"
    )
    assert subtitles.read(SRT.encode()).as_webvtt() == expected


@pytest.mark.parametrize(
    "data",
    [SRT.encode("utf-8-sig"), SRT.encode("utf-16"), b"\xfe\xff" + SRT.encode("utf-16-be"), SRT.replace("\r\n", "\r").encode()],
    ids=["with a mark", "utf-16", "utf-16 the other way", "old line ends"],
)  # fmt: skip
def test_other_encodings_and_line_ends(data: bytes) -> None:
    assert [cue.text for cue in subtitles.read(data).cues] == ["Good morning.", "Two"]


def test_the_older_encoding_of_windows_is_read_and_told() -> None:
    found = subtitles.read(SRT.replace("Two", "Süß “x”").encode("cp1252"))
    assert found.cues[1].text == "Süß “x”"
    assert found.warnings == [
        "The file is not in UTF-8 and was read as Windows-1252. Look at its accents and quotes."
    ]


@each_of(
    ("text", "fault"),
    [
        ("", "The file is empty."),
        (" \n\n", "The file is empty."),
        ("WEBVTT\n", "The file has no captions. They look like “00:01.000 --> 00:04.000” with a text below."),
        ("words\nand more\n", "Line 1: there is no time here, such as “00:01.000 --> 00:04.000”."),
        ("WEBVTT\n\n1\n00:05.000 --> 00:04.000\nx\n", "Line 4: the caption ends before it begins."),
        ("00:05.000 --> 00:05.000\nx\n", "Line 1: the caption ends before it begins."),
        ("00:05.000 --> 00:06.000\n\nx\n", "Line 1: there is no text below the time."),
        (
            "00:05 --> 00:06\nx\n",
            "Line 1: “00:05 --> 00:06” is no time, such as “00:01:02.500 --> 00:01:04.000”.",
        ),
        (
            "00:05.000 --> 00:06.000\nx\n00:07.000 --> 00:08.000\ny\n",
            "Line 3: an empty line is missing before the time.",
        ),
        (b"\x00\x01\x02", "The file is no text in UTF-8, UTF-16 or Windows-1252."),
        (b"\xff\xfe\x00", "The file says that it is UTF-16-LE, and is not."),
        (b"x" * 10_000_000, "The file has 10.0 MB; captions may have 1 MB."),
    ],
)
def test_what_cannot_be_used_says_why(text: str | bytes, fault: str) -> None:
    assert told(text)[0] == fault


def test_many_faults_are_told_at_once_and_counted() -> None:
    faults = told("\n\n".join(f"{number}\nno time" for number in range(15)))
    assert (faults[0][:7], len(faults), faults[-1]) == ("Line 1:", 11, "There are 5 more faults.")


def test_captions_at_the_same_time_are_a_warning() -> None:
    found = subtitles.read(b"00:03.000 --> 00:05.000\nb\n\n00:01.000 --> 00:04.000\na\n")
    assert [cue.text for cue in found.cues] == ["a", "b"]
    assert found.warnings == ["Captions are shown at the same time as the one before, at line 1."]


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_whatever_bytes_are_given_it_reads_them_or_says_why(data: bytes) -> None:
    with suppress(Faulty):
        assert subtitles.read(data).cues


LINES = st.text("abcé<>&- .0123:", min_size=1, max_size=20).filter(
    lambda line: line.strip() == line and "-->" not in line
)
CUES = st.builds(
    lambda start, length, lines: Cue(start, start + length, "\n".join(lines), 1),
    st.integers(0, 10**7), st.integers(1, 10**5), st.lists(LINES, min_size=1, max_size=3),
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(CUES, min_size=1, max_size=5))
def test_what_is_written_is_read_the_same(cues: list[Cue]) -> None:
    cues.sort(key=lambda cue: (cue.start, cue.end))
    again = subtitles.read(Subtitles(cues).as_webvtt().encode())
    assert [(cue.start, cue.end, cue.text) for cue in again.cues] == [
        (cue.start, cue.end, cue.text) for cue in cues
    ]
