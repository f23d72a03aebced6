"""How long and how large a request may be, before and while a thread works on it.

The figures stand in `docs/operate.md` too. Imports nothing: the web server reads it before the settings are known to be good.
"""

# The application takes no longer body (the webhook has its own, smaller limit; videos never pass through here), so the server does
# not read one either.
MAX_BODY_BYTES = 2 * 1024 * 1024
# Seconds from the first byte of a request to the end of its head, from there to the end of its body, and without a byte taken of
# an answer.
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
UNREAD_SECONDS = 30.0
# After an answer that ends the connection: what is still on its way is read and thrown away, so that the answer arrives.
LINGER_SECONDS = 2.0
# A stopping process waits so long for requests on kept connections, which their clients may be sending already.
STOP_LINGER_SECONDS = 1.0

MAX_HEAD_BYTES = 64 * 1024
# Bodies up to this size are always taken; larger ones share a part of the memory.
SMALL_BODY_BYTES = 64 * 1024
LARGE_BODIES_BYTES = 32 * MAX_BODY_BYTES

# A thread goes on with an answer until so much of it waits for its client, or until other requests must have their turn.
UNSENT_BYTES = 256 * 1024
TURN_SECONDS = 0.2
