"""Still pictures of a video: where Mux serves them, with a token where the video is signed.

For users who may see the lesson in a list; the caller decides who that is.
"""

from lessonadmin import config, mux
from lessonadmin.domain import playback
from lessonadmin.domain.models import Owner


def thumbnail(owner: Owner, *, width: int, height: int) -> str | None:
    """The address of a picture of this size, or None while nothing plays."""
    playback_id = owner.mux_playback_id
    if not owner.is_playable or not playback_id:
        return None
    address = f"{config.current().mux_image_url}/{playback_id}/thumbnail.jpg"
    options: dict[str, str | int | float] = {"width": width, "height": height, "fit_mode": "smartcrop"}
    if owner.picture_at is not None:
        options["time"] = owner.picture_at
    if owner.playback_policy != "signed":
        return f"{address}?" + "&".join(f"{name}={value}" for name, value in options.items())
    try:
        # Beside a token nothing else may stand in the address: the size travels inside.
        token = mux.playback_token(
            playback_id, audience="t", seconds=playback.life(owner.video_duration), options=options
        )
    except mux.BadSigningKey:
        return None
    return f"{address}?token={token}" if token else None


def storyboard(source: playback.Source) -> str:
    """The small pictures that the player shows above its time line."""
    address = f"{config.current().mux_image_url}/{source.playback_id}/storyboard.vtt"
    return f"{address}?token={source.storyboard_token}" if source.storyboard_token else address
