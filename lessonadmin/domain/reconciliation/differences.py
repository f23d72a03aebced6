"""The differences between the database and Mux, as queries after everything was read (`mux_inventory`). Changes nothing.

`orphan`          an asset with Lessonadmin's passthrough that no row uses, older than a day
`duplicate`       the same, but its lesson or course has another asset
`missing`         it plays or is being processed by the database, Mux does not have it
`wrong_policy`    the playback id in the database is not the asset's, or is public where it must be signed
`stale`           the database and Mux disagree about its state
`unknown_upload`  Mux waits for the file of an upload with Lessonadmin's passthrough that no row knows
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from lessonadmin import config
from lessonadmin.domain.models.lessons import OPEN
from lessonadmin.domain.videos.state_machine import KEPT_BACK, State
from lessonadmin.text.temporary_ids import PATTERN

CREATE_USED_ASSETS = f"""
CREATE TEMP TABLE used_assets AS
SELECT t.mux_asset_id AS asset_id, t.id AS tracking_id, t.lesson_id, t.course_id, t.status, t.created_at,
       t.mux_playback_id AS playback_id, t.wanted_policy, coalesce(l.price_cents, 0) AS price_cents
  FROM mux_asset_tracking t LEFT JOIN lessons l ON l.id = t.lesson_id
 WHERE t.mux_asset_id IS NOT NULL AND t.superseded_at IS NULL AND t.status IN ('processing', 'ready')
UNION ALL
SELECT l.mux_asset_id, NULL, l.id, NULL, l.video_processing_status, l.created_at, l.mux_playback_id,
       coalesce(l.playback_policy, 'public'), l.price_cents
  FROM lessons l
 WHERE btrim(l.mux_asset_id) <> '' AND l.mux_asset_id NOT LIKE {PATTERN}
   AND l.video_processing_status IN ('processing', 'ready')
   AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t WHERE t.mux_asset_id = l.mux_asset_id AND t.lesson_id = l.id)
UNION ALL
SELECT c.mux_preview_asset_id, NULL, NULL, c.id, c.video_processing_status, c.created_at, c.mux_preview_playback_id,
       coalesce(c.playback_policy, 'public'), 0
  FROM courses c
 WHERE btrim(c.mux_preview_asset_id) <> '' AND c.mux_preview_asset_id NOT LIKE {PATTERN}
   AND c.video_processing_status IN ('processing', 'ready')
   AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t
                    WHERE t.mux_asset_id = c.mux_preview_asset_id AND t.course_id = c.id)
"""  # noqa: S608 - constants of this file # nosec B608
# Its asset is held for staff, by whichever way it is found.
WAS_WITHDRAWN = f"t.status = 'cancelled' AND t.error_type = '{KEPT_BACK[State.WITHDRAWN]}'"
UNUSED_BY_US = f"""
  FROM seen_assets s
 WHERE NOT s.foreign_name
   AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t WHERE t.mux_asset_id = s.asset_id)
   AND NOT EXISTS (SELECT 1 FROM lessons l WHERE l.mux_asset_id = s.asset_id)
   AND NOT EXISTS (SELECT 1 FROM courses c WHERE c.mux_preview_asset_id = s.asset_id)
   AND NOT EXISTS (SELECT 1 FROM asset_deletions d WHERE d.mux_asset_id = s.asset_id)
   AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t WHERE t.upload_id = s.upload_id
                      AND t.superseded_at IS NULL AND t.status IN ({OPEN}))
   AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t WHERE t.upload_id = s.upload_id AND {WAS_WITHDRAWN})
"""  # noqa: S608 - constants of this file # nosec B608
IS_OLD = "coalesce(s.made_at, '-infinity') < clock_timestamp() - interval '1 day'"
HAS_ANOTHER = """EXISTS (SELECT 1 FROM used_assets u
    WHERE (u.lesson_id = s.lesson_id OR u.course_id = s.course_id) AND u.asset_id <> s.asset_id)"""
OWNER = "CASE WHEN {0}.lesson_id IS NOT NULL THEN 'lesson' WHEN {0}.course_id IS NOT NULL THEN 'course' END,"
OWNER += " coalesce({0}.lesson_id, {0}.course_id)"

QUERIES = {
    "orphan": f"""SELECT 'orphan', s.asset_id, {OWNER.format("s")}, NULL::uuid,
        'made ' || coalesce(s.made_at::date::text, 'long ago') || ', nothing here uses it'
        {UNUSED_BY_US} AND {IS_OLD} AND NOT {HAS_ANOTHER} ORDER BY s.asset_id""",
    "duplicate": f"""SELECT 'duplicate', s.asset_id, {OWNER.format("s")}, NULL::uuid,
        'its owner plays another asset' {UNUSED_BY_US} AND {IS_OLD} AND {HAS_ANOTHER} ORDER BY s.asset_id""",
    "missing": f"""SELECT 'missing', u.asset_id, {OWNER.format("u")}, u.tracking_id,
        'here: ' || u.status || ', Mux does not have it'
        FROM used_assets u WHERE NOT EXISTS (SELECT 1 FROM seen_assets s WHERE s.asset_id = u.asset_id)
         AND u.created_at < :started_at ORDER BY u.asset_id""",  # noqa: S608 - constants of this file # nosec B608
    "wrong_policy": f"""SELECT 'wrong_policy', u.asset_id, {OWNER.format("u")}, u.tracking_id,
        CASE WHEN u.playback_id <> ALL (s.playback_ids) THEN 'Mux does not have the playback id'
             ELSE 'it is paid for and has a public playback id' END
        FROM used_assets u JOIN seen_assets s USING (asset_id)
        WHERE u.status = 'ready' AND (u.playback_id <> ALL (s.playback_ids)
              OR (u.price_cents > 0 AND 'public' = ANY (s.policies) AND (:signs OR u.wanted_policy = 'signed')))
        ORDER BY u.asset_id""",  # noqa: S608 - constants of this file # nosec B608
    "stale": f"""SELECT 'stale', u.asset_id, {OWNER.format("u")}, u.tracking_id,
        'here: ' || u.status || ', at Mux: ' || s.status
        FROM used_assets u JOIN seen_assets s USING (asset_id)
        WHERE ((u.status = 'processing' AND s.status IN ('ready', 'errored'))
            OR (u.status = 'ready' AND s.status = 'errored'))
        UNION ALL
        SELECT 'stale', s.asset_id, {OWNER.format("t")}, t.id, 'here: withdrawn, at Mux: ' || s.status
        FROM mux_asset_tracking t JOIN seen_assets s ON s.upload_id = t.upload_id
        WHERE {WAS_WITHDRAWN} ORDER BY 2""",  # noqa: S608 - constants of this file # nosec B608
    "unknown_upload": f"""SELECT 'unknown_upload', s.upload_id, {OWNER.format("s")}, NULL::uuid,
        'Mux waits for its file, it is unknown here'
        FROM seen_uploads s WHERE s.status = 'waiting' AND (s.lesson_id IS NOT NULL OR s.course_id IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t WHERE t.upload_id = s.upload_id)
         AND NOT EXISTS (SELECT 1 FROM mux_asset_tracking t WHERE t.id = s.tracking_id AND t.upload_id IS NULL
                            AND t.status = 'uploading')
         AND NOT EXISTS (SELECT 1 FROM upload_cancellations c WHERE c.upload_id = s.upload_id)
        ORDER BY s.upload_id""",  # noqa: S608 - constants of this file # nosec B608
}


@dataclass(frozen=True)
class Found:
    """One difference."""

    kind: str
    mux_id: str
    target_type: str | None
    target_id: uuid.UUID | None
    tracking_id: uuid.UUID | None
    remark: str


def prepare(connection: Connection) -> None:
    """The assets that the database uses, collected once for all queries."""
    connection.execute(text(CREATE_USED_ASSETS))
    connection.execute(text("CREATE INDEX ON used_assets (asset_id)"))
    connection.execute(text("CREATE INDEX ON used_assets (lesson_id)"))
    connection.execute(text("ANALYZE used_assets"))
    connection.commit()


def findings(connection: Connection, *, started_at: datetime) -> Iterator[Found]:
    """All differences, one kind after the other, without holding them in memory."""
    known = {"started_at": started_at, "signs": config.current().signs_playback}
    for query in QUERIES.values():
        statement = text(query)
        given = {name: known[name] for name in statement._bindparams}
        with connection.execute(statement, given, execution_options={"yield_per": 500}) as rows:
            for row in rows:
                yield Found(*row)
    connection.commit()


def used(connection: Connection) -> int:
    """How many assets the database uses."""
    return int(connection.scalar(text("SELECT count(DISTINCT asset_id) FROM used_assets")) or 0)


def young_and_foreign(connection: Connection) -> tuple[int, int]:
    """Orphans that are younger than a day, and assets of other applications: counted, never touched."""
    young = connection.scalar(text(f"SELECT count(*) {UNUSED_BY_US} AND NOT {IS_OLD}"))
    foreign = connection.scalar(
        text(
            "SELECT count(*) FROM seen_assets s WHERE s.foreign_name"
            " AND NOT EXISTS (SELECT 1 FROM used_assets u WHERE u.asset_id = s.asset_id)"
        )
    )
    return int(young or 0), int(foreign or 0)
