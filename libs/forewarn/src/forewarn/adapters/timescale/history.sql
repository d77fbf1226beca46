-- What the API asks the database. Lists are keyset-paged: newest first, before (time, id). Transitions of alarms are in
-- the order of their arrival, as their times come from several clocks.

-- name: ping
SELECT 1

-- name: asset_key
SELECT asset_key, asset_class FROM asset WHERE asset_id = %(asset_id)s

-- name: removed_assets
SELECT asset_id, document::text AS document, removed_at FROM asset
WHERE removed_at IS NOT NULL AND document IS NOT NULL AND asset_id > %(after)s
ORDER BY asset_id LIMIT %(limit)s

-- name: removed_asset
SELECT document::text AS document, removed_at FROM asset
WHERE removed_at IS NOT NULL AND document IS NOT NULL AND asset_id = %(asset_id)s

-- name: has_relation
SELECT to_regclass(%(name)s) IS NOT NULL

-- name: asset_ids
SELECT asset_id FROM asset
WHERE removed_at IS NULL AND asset_class IS NOT NULL AND (%(after)s::text IS NULL OR asset_id > %(after)s)
ORDER BY asset_id LIMIT %(limit)s

-- name: latest_health
SELECT newest.document
FROM asset CROSS JOIN LATERAL (
    SELECT document::text FROM asset_health AS h WHERE h.asset_key = asset.asset_key ORDER BY ts DESC LIMIT 1
) AS newest
WHERE asset_id = ANY (%(asset_ids)s) AND octet_length(newest.document) <= %(max_bytes)s
ORDER BY asset_id

-- name: health
WITH thinned AS (  -- evenly, first by number and then by size: only what is left is unpacked to be measured
    SELECT ts, document::text AS document, row_number() OVER (ORDER BY ts DESC) - 1 AS back
    FROM (
        SELECT ts, document, count(*) OVER () AS total, row_number() OVER (ORDER BY ts DESC) - 1 AS back
        FROM asset_health
        WHERE asset_key = (SELECT asset_key FROM asset WHERE asset_id = %(asset_id)s)
            AND ts >= %(start)s AND ts < %(end)s
    ) AS counted
    WHERE back %% ceil(total::numeric / %(limit)s)::bigint = 0
), measured AS (
    SELECT ts, document, back, octet_length(document) AS size, sum(octet_length(document)) OVER () AS total FROM thinned
), fitting AS (
    SELECT ts, document, sum(size) OVER (ORDER BY ts DESC) AS so_far FROM measured
    WHERE back %% ceil(total::numeric / %(max_bytes)s)::bigint = 0
)
SELECT document FROM fitting WHERE so_far <= %(max_bytes)s
ORDER BY ts

-- name: alarms
SELECT document, closed_at, at, occurrence_id, total FROM (
SELECT document::text, closed_at, at, occurrence_id, count(*) OVER () AS total, row_number() OVER newest AS number,
    sum(octet_length(document::text)) OVER newest AS so_far
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
WINDOW newest AS (ORDER BY at DESC, occurrence_id DESC)
ORDER BY at DESC, occurrence_id DESC LIMIT %(limit)s
) AS page
WHERE so_far <= %(max_bytes)s OR number = 1
ORDER BY at DESC, occurrence_id DESC

-- name: alarm
SELECT document::text, closed_at FROM alarm WHERE alarm_id = %(alarm_id)s

-- name: alarm_events
SELECT document FROM (
SELECT document, arrival, row_number() OVER newest AS number, sum(octet_length(document)) OVER newest AS so_far
FROM (
SELECT document::text, arrival FROM alarm_event
WHERE (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
    AND (%(alarm_id)s::text IS NULL OR alarm_id = %(alarm_id)s)
    AND (%(before)s::timestamptz IS NULL OR arrival < (SELECT arrival FROM alarm_event WHERE alert_id = %(before_id)s))
ORDER BY arrival DESC LIMIT %(limit)s
) AS transition
WINDOW newest AS (ORDER BY arrival DESC)
) AS page
WHERE so_far <= %(max_bytes)s OR number = 1
ORDER BY arrival DESC

-- name: rejected
SELECT rejected_id, topic, reason, left(rule, %(characters)s) AS rule, left(explanation, %(characters)s) AS explanation,
    left(recommendation, %(characters)s) AS recommendation, asset_id, rejected_at,
    octet_length(original) AS size_bytes, substring(original FROM 1 FOR %(preview_bytes)s) AS beginning
FROM rejected
WHERE (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(before)s::timestamptz IS NULL OR (rejected_at, rejected_id) < (%(before)s, %(before_id)s))
ORDER BY rejected_at DESC, rejected_id DESC LIMIT %(limit)s

-- name: rejected_one
SELECT rejected_id, topic, partition, source_offset AS offset, source_index AS index, reason, left(rule, %(characters)s) AS rule,
    left(explanation, %(characters)s) AS explanation, left(recommendation, %(characters)s) AS recommendation,
    asset_id, rejected_at, key, ''::bytea AS original
FROM rejected WHERE rejected_id = %(rejected_id)s

-- name: rejected_piece
SELECT substring(original FROM %(start)s FOR %(size_bytes)s) AS piece FROM rejected WHERE rejected_id = %(rejected_id)s

-- name: model
SELECT document::text FROM model WHERE asset_id = %(asset_id)s AND kind = %(kind)s AND version = %(version)s

-- name: models
SELECT document, asset_id, kind, version, total FROM (
    SELECT document, asset_id, kind, version, count(*) OVER () AS total,
        row_number() OVER place AS number, sum(octet_length(document)) OVER place AS so_far
    FROM (
        SELECT (document - 'parameters')::text AS document, asset_id, kind, version FROM model
        WHERE (%(asset_id)s::text IS NULL OR asset_id = %(asset_id)s)
            AND (%(after_asset)s::text IS NULL OR (asset_id, kind, -version) > (%(after_asset)s, %(after_kind)s, -%(after_version)s::integer))
        ORDER BY asset_id, kind, version DESC LIMIT %(limit)s
    ) AS card
    WINDOW place AS (ORDER BY asset_id, kind, version DESC)
) AS page
WHERE so_far <= %(max_bytes)s OR number = 1
ORDER BY asset_id, kind, version DESC
