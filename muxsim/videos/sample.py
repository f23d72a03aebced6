"""A real video of two seconds (160x90, H.264 and AAC), for uploads that need bytes and for playback without ffmpeg.

Made with::

    ffmpeg -f lavfi -i testsrc=size=160x90:rate=10:duration=2 -f lavfi -i sine=frequency=440:duration=2
      -c:v libx264 -preset veryslow -crf 40 -pix_fmt yuv420p -c:a aac -b:a 16k -ac 1 -movflags +faststart sample.mp4
"""

from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"
SAMPLE_PATH = STATIC / "sample.mp4"
SAMPLE_VIDEO = SAMPLE_PATH.read_bytes()
