-- What the API asks the database. Lists are keyset-paged: newest first, before (time, id). Transitions of alarms are in
-- the order of their arrival, as their times come from several clocks.

-- name: ping
SELECT 1

-- name: asset_key
SELECT asset_key, asset_class FROM asset WHERE asset_id = %(asset_id)s

-- name: removed_assets
SELECT document::text AS document, removed_at FROM asset
WHERE removed_at IS NOT NULL AND document IS NOT NULL AND asset_id > %(after)s
ORDER BY asset_id LIMIT %(limit)s

-- name: removed_asset
SELECT document::text AS document, removed_at FROM asset
WHERE removed_at IS NOT NULL AND document IS NOT NULL AND asset_id = %(asset_id)s

-- name: has_relation
SELECT to_regclass(%(name)s) IS NOT NULL

-- name: latest_health
SELECT newest.document::text
FROM asset CROSS JOIN LATERAL (
    SELECT document FROM asset_health AS h WHERE h.asset_key = asset.asset_key ORDER BY ts DESC LIMIT 1
) AS newest
WHERE CASE WHEN %(asset_ids)s::text[] IS NULL THEN removed_at IS NULL ELSE asset_id = ANY (%(asset_ids)s) END
ORDER BY asset_id

-- name: health
SELECT document::text FROM (
    SELECT ts, document, count(*) OVER () AS total, row_number() OVER (ORDER BY ts DESC) - 1 AS back
    FROM asset_health
    WHERE asset_key = (SELECT asset_key FROM asset WHERE asset_id = %(asset_id)s)
        AND ts >= %(start)s AND ts < %(end)s
) AS counted
WHERE back %% ceil(total::numeric / %(limit)s)::bigint = 0
ORDER BY ts

-- name: alarms
SELECT document::text, closed_at
FROM (
    (
        SELECT raised_at AS at, occurrence_id, document, closed_at FROM alarm
        WHERE closed_at IS NULL AND %(open)s::boolean IS DISTINCT FROM false
            AND (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
            AND (%(priorities)s::text[] IS NULL OR priority = ANY (%(priorities)s))
            AND (%(before)s::timestamptz IS NULL OR (raised_at, occurrence_id) < (%(before)s, %(before_id)s))
        ORDER BY raised_at DESC, occurrence_id DESC LIMIT %(limit)s
    )
    UNION ALL  -- each half is cut by itself: of the closed ones, which years fill, an index reads no more than the page
    (
        SELECT at, document #>> '{alarm,occurrence_id}', document -> 'alarm', at FROM alarm_event
        WHERE transition = 'closed' AND %(open)s::boolean IS DISTINCT FROM true
            AND (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
            AND (%(priorities)s::text[] IS NULL OR priority = ANY (%(priorities)s))
            AND (%(before)s::timestamptz IS NULL OR at <= %(before)s)
            AND (%(before)s::timestamptz IS NULL OR (at, document #>> '{alarm,occurrence_id}') < (%(before)s, %(before_id)s))
        ORDER BY at DESC, document #>> '{alarm,occurrence_id}' DESC LIMIT %(limit)s
    )
) AS occurrence
ORDER BY at DESC, occurrence_id DESC LIMIT %(limit)s

-- name: alarm
SELECT document::text, closed_at FROM alarm WHERE alarm_id = %(alarm_id)s

-- name: alarm_events
SELECT document::text FROM alarm_event
WHERE (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
    AND (%(alarm_id)s::text IS NULL OR alarm_id = %(alarm_id)s)
    AND (%(before)s::timestamptz IS NULL OR arrival < (SELECT arrival FROM alarm_event WHERE alert_id = %(before_id)s))
ORDER BY arrival DESC LIMIT %(limit)s

-- name: rejected
SELECT rejected_id, topic, partition, source_offset AS offset, source_index AS index, reason, rule, explanation,
    recommendation, asset_id, rejected_at, key, original
FROM rejected
WHERE (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(rejected_id)s::text IS NULL OR rejected_id = %(rejected_id)s)
    AND (%(before)s::timestamptz IS NULL OR (rejected_at, rejected_id) < (%(before)s, %(before_id)s))
ORDER BY rejected_at DESC, rejected_id DESC LIMIT %(limit)s

-- name: model
SELECT document::text FROM model WHERE asset_id = %(asset_id)s AND kind = %(kind)s AND version = %(version)s

-- name: models
SELECT (document - 'parameters')::text AS document FROM model
WHERE %(asset_id)s::text IS NULL OR asset_id = %(asset_id)s
ORDER BY asset_id, kind, version DESC LIMIT %(limit)s
