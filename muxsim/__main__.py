"""``python -m muxsim``: the simulator on its own, until Ctrl-C or SIGTERM.

Every user of a machine can read command lines, so secrets may also be given in the environment, which only their owner can read.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from muxsim import __version__
from muxsim.options import DEFAULT_SECRET, DEFAULT_TOKENS, Token, parse_webhooks
from muxsim.server import Simulator

# In the environment, in place of the options of these names.
TOKENS, SECRETS = "MUXSIM_TOKENS", "MUXSIM_WEBHOOK_SECRETS"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m muxsim", description="A simulator of Mux Video on one loopback port."
    )
    add = made.add_argument
    add("--port", type=int, default=9100, help="0 picks a free one (default 9100)")
    add(
        "--state",
        type=Path,
        default=Path("muxsim-state"),
        metavar="DIR",
        help="where state and files are kept",
    )
    add("--webhook", action="append", default=[], metavar="URL[#SECRET]", help="may be given several times")
    add(
        "--webhook-secret",
        action="append",
        default=[],
        metavar="SECRET",
        help=f"the n-th goes with the n-th webhook (default {DEFAULT_SECRET}); or in {SECRETS}, with spaces between",
    )
    add(
        "--token",
        action="append",
        default=[],
        metavar="ID:SECRET[:high|low[:ENVIRONMENT]]",
        help=f"may be given several times; or in {TOKENS}, with spaces between",
    )
    _behaviour(add)
    add("--reset", action="store_true", help="begin with an empty state")
    add("--version", action="version", version=f"muxsim {__version__}")
    return made


def _behaviour(add: Callable[..., object]) -> None:
    add("--processing-seconds", type=float, default=None, help="from the last byte to ready (default 8)")
    add("--no-ffmpeg", action="store_true", help="become ready by time alone")
    add("--no-rate-limits", action="store_true", help="never answer 429")
    add("--public-url", default=None, metavar="URL", help="what upload URLs begin with, if not this port")
    add(
        "--seed",
        default=None,
        help="same seed, same ids and same chances (default: drawn once, kept with the state)",
    )
    add("--speed", type=float, default=1.0, help="simulated seconds in a real one")
    add("--fast", action="store_true", help="no processing time, no rate limits, no ffmpeg: for tests")


def build(arguments: argparse.Namespace) -> Simulator:
    fast = arguments.fast
    tokens = arguments.token or os.environ.get(TOKENS, "").split()
    secrets = arguments.webhook_secret or os.environ.get(SECRETS, "").split()
    seconds = 0.0 if fast and arguments.processing_seconds is None else arguments.processing_seconds
    return Simulator(
        state_dir=arguments.state,
        webhooks=parse_webhooks(arguments.webhook, secrets),
        tokens=[Token.parse(one) for one in tokens] or DEFAULT_TOKENS,
        processing_seconds=seconds,
        ffmpeg=not (fast or arguments.no_ffmpeg),
        seed=arguments.seed,
        rate_limits=False if fast or arguments.no_rate_limits else None,
        port=arguments.port,
        public_url=arguments.public_url,
        speed=arguments.speed,
    )


def main(given: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="muxsim: %(message)s")
    made = parser()
    arguments = made.parse_args(given)
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    try:
        simulator = build(arguments).start()
    except (ValueError, OSError) as error:
        made.error(str(error))
    if arguments.reset:
        simulator.reset()
    say = sys.stdout.write
    say(f"muxsim listening on {simulator.url}\n")
    if not (arguments.token or os.environ.get(TOKENS)):
        for token in DEFAULT_TOKENS:
            say(f"token {token.id}:{token.secret} ({token.priority} priority)\n")
    say(f"page {simulator.url}/_sim\n")
    if simulator.options.ffmpeg and simulator.core.ffmpeg is None:
        say("no ffmpeg found: assets become ready by time alone and play a built-in picture\n")
    sys.stdout.flush()
    over.wait()
    simulator.stop()
    sys.stdout.flush()
    # A thread that still waits for a hanging receiver must not hold up the end.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
