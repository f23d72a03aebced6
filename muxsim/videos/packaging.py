"""ffmpeg's part: what is in a file, the same as HLS, and pictures from it.

Files come from strangers: only real containers are opened (no playlists or image sequences, which could name other
files), nothing but the local file system is reached, and every run ends within a bound.
"""

import math
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from muxsim.videos.file_type import EMPTY, NOT_VIDEO, TRUNCATED, Findings, read_video

CONTAINERS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,ogg,flv,mp3,wav,aac,flac,asf,mxf"
SAFELY = ["-hide_banner", "-nostdin", "-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS]
PROBE_WITHIN, PICTURE_WITHIN = 30.0, 60.0
DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
VIDEO = re.compile(r"Stream #0:\d+.*?: Video: (\w+).*?, (\w+)[(,].*?\b(\d{2,5})x(\d{2,5})\b")
AUDIO = re.compile(r"Stream #0:\d+.*?: Audio: (\w+)[^\n]*?Hz, (\w+|[\d.]+)")
RATE = re.compile(r"([\d.]+) fps")
PARTIAL = "The input file is truncated: {0:.1f} of {1:.1f} seconds could be read."


def find_ffmpeg() -> str | None:
    """The system's ffmpeg, or the one that the package imageio-ffmpeg carries, or none."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


class Interrupted(Exception):
    """The simulator is being stopped: what ffmpeg said last means nothing."""


class Packager:
    """Runs ffmpeg. Holds no state but the processes under way, so that ``stop`` can end them."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

    def package(self, media: Path, *, limit: float | None, on_progress: Callable[[float], None]) -> Findings:
        """Probes ``media/source`` and packages it into ``media/hls``; errors are findings, not exceptions."""
        source = media / "source"
        if source.stat().st_size == 0:
            return Findings(error=EMPTY)
        _, report = self._run([*SAFELY, "-i", str(source)], within=PROBE_WITHIN)
        found, copy = read_report(report)
        if found.error:
            return Findings(error=read_video(source).error or found.error)
        target = media / "hls"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        whole = found.duration or 0.0
        wanted = min(whole, limit) if limit and whole else whole

        def moved(line: str) -> None:
            name, _, value = line.partition("=")
            if name == "out_time_us" and value.strip().isdigit() and wanted:
                on_progress(min(1.0, int(value) / 1e6 / wanted))

        command = [*SAFELY, "-y", "-i", str(source), *_package(target, found, copy=copy, limit=limit)]
        code, complaints = self._run(command, within=6 * 3600.0, on_line=moved)
        reached = _length(target / "video.m3u8")
        if "partial file" in complaints or (code == 0 and wanted and reached < 0.9 * wanted - 0.5):
            return Findings(error=PARTIAL.format(reached, wanted))
        if code != 0 or reached == 0:
            return Findings(error="The input file could not be decoded.")
        found.duration = round(whole or reached, 6)
        return found

    def picture(self, source: Path, target: Path, *, options: list[str], at: float = 0.0) -> bool:
        """One output file made from a moment of the video; whether there is one now."""
        name = target.with_name(f"{threading.get_ident()}-{target.name}")
        command = [*SAFELY, "-y", "-ss", f"{at:.3f}", "-i", str(source), *options, str(name)]
        code, _ = self._run(command, within=PICTURE_WITHIN)
        if code != 0 or not name.exists() or name.stat().st_size == 0:
            name.unlink(missing_ok=True)
            return False
        name.replace(target)
        return True

    def _run(
        self, options: list[str], *, within: float, on_line: Callable[[str], None] | None = None
    ) -> tuple[int, str]:
        """ffmpeg's exit code and what it wrote to standard error."""
        with self._lock:
            if self._stopped:
                raise Interrupted
            process = subprocess.Popen(
                [self._binary, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, errors="replace",
            )  # fmt: skip
            self._running.add(process)
        timer = threading.Timer(within, process.kill)
        timer.start()
        complaints: list[str] = []
        assert process.stdout is not None  # noqa: S101 - a pipe, see above # nosec B101
        assert process.stderr is not None  # noqa: S101 - it was asked for above # nosec B101
        reader = threading.Thread(
            target=lambda stream: complaints.append(stream.read()), args=(process.stderr,)
        )
        reader.start()
        try:
            for line in process.stdout:
                if on_line is not None:
                    on_line(line)
            code = process.wait()
            reader.join()
        finally:
            timer.cancel()
            process.stdout.close()
            process.stderr.close()
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise Interrupted
        return code, "".join(complaints)


def read_report(report: str) -> tuple[Findings, bool]:
    """What ffmpeg says about its input, and whether its streams can be packaged as they are."""
    video, audio, length, rate = (
        VIDEO.search(report),
        AUDIO.search(report),
        DURATION.search(report),
        RATE.search(report),
    )
    if video is None and audio is None:
        return Findings(error=TRUNCATED if "moov atom not found" in report else NOT_VIDEO), False
    found = Findings(width=None, height=None, audio=audio is not None)
    if length is not None:
        hours, minutes, seconds = length.groups()
        found.duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    copy = True
    if video is not None:
        codec, pixels, width, height = video.groups()
        found.width, found.height = int(width), int(height)
        found.fps = float(rate.group(1)) if rate else 30.0
        if codec not in ("h264", "hevc"):
            found.unusual["video_codec"] = codec
        copy = codec == "h264" and pixels == "yuv420p" and int(height) <= 1080
    if audio is not None:
        codec, layout = audio.groups()
        found.channels = {"mono": 1, "stereo": 2}.get(layout, 2)
        if codec != "aac":
            found.unusual["audio_codec"] = codec
        copy = copy and codec == "aac"
    return found, copy


def _package(target: Path, found: Findings, *, copy: bool, limit: float | None) -> list[str]:
    options = ["-map", "0:v:0?", "-map", "0:a:0?", "-sn", "-dn"]
    if limit:
        options += ["-t", str(limit)]
    if copy:
        options += ["-c", "copy"]
    else:
        options += [
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "26",
            "-pix_fmt",
            "yuv420p",
            "-vf",
            _at_most_720(found),
        ]
        options += ["-force_key_frames", "expr:gte(t,n_forced*2)", "-c:a", "aac", "-b:a", "96k", "-ac", "2"]
    options += ["-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod", "-hls_segment_type", "mpegts"]
    options += [
        "-hls_segment_filename",
        str(target / "%05d.ts"),
        "-progress",
        "pipe:1",
        str(target / "video.m3u8"),
    ]
    return options


def _at_most_720(found: Findings) -> str:
    return "scale=-2:720" if (found.height or 0) > 720 else "scale=trunc(iw/2)*2:trunc(ih/2)*2"


def _length(playlist: Path) -> float:
    """Seconds in a media playlist."""
    if not playlist.exists():
        return 0.0
    return math.fsum(float(one) for one in re.findall(r"#EXTINF:([\d.]+)", playlist.read_text()))
