"""The request cycle that all pages share: Flask's settings, request ids and timing, headers, error pages, targets.

No route lives here and no rule of the product is known.
"""

from lessonadmin.web import (
    assets,
    errors,
    formats,
    headers,
    redirects,
    requests,
    settings,
    states,
    visitors,
)

__all__ = [
    "assets",
    "errors",
    "formats",
    "headers",
    "redirects",
    "requests",
    "settings",
    "states",
    "visitors",
]
