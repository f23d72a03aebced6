"""Links into Mux's own dashboard; none when `MUX_API_URL` is not Mux itself."""

from lessonadmin import config
from lessonadmin.text.temporary_ids import is_temporary

DASHBOARD = "https://dashboard.mux.com"


def asset(asset_id: str | None) -> str | None:
    """Where Mux's dashboard shows an asset."""
    if not asset_id or is_temporary(asset_id) or not config.current().mux_is_real:
        return None
    return f"{DASHBOARD}/video/assets/{asset_id}/overview"
