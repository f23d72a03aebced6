"""A simulator of Mux Video: the REST API, direct uploads, processing, playback and webhooks on one loopback port.

It is a program of its own (``python -m muxsim``) and a library for tests (``muxsim.server.Simulator``,
``muxsim.client.Control``). It never talks to Mux, never reaches for the internet, and knows nothing about the
application that is developed against it.
"""

__version__ = "1.0.0"
