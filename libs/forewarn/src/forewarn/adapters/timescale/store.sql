-- What the sink says to the database.

-- name: claim
INSERT INTO sink_offset AS o (topic, partition, epoch, claimant)
SELECT topic, partition, 1, %(claimant)s
FROM unnest(%(topics)s::text[], %(partitions)s::integer[]) AS wanted (topic, partition)
ORDER BY topic, partition
ON CONFLICT (topic, partition) DO UPDATE SET
    epoch = o.epoch + 1, updated_at = now(), claimant = excluded.claimant, claimed_offset = o.next_offset,
    stalls = CASE  -- a claimant that ended without giving its claim back and without storing anything has stalled
        WHEN o.claimed_offset IS DISTINCT FROM o.next_offset THEN 0
        WHEN o.claimant IS DISTINCT FROM excluded.claimant AND o.claimant IS NOT NULL THEN o.stalls + 1
        ELSE o.stalls END,
    -- who claims again lives: what it took by itself did not end it, and does not count
    attempts = CASE WHEN o.claimant = excluded.claimant THEN GREATEST(o.attempts - 1, 0) ELSE o.attempts END
RETURNING topic, partition, epoch, next_offset, topic_id, stalls, attempts

-- name: release
UPDATE sink_offset AS o SET claimant = NULL, updated_at = now()
FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(epochs)s::bigint[]) AS held (topic, partition, epoch)
WHERE o.topic = held.topic AND o.partition = held.partition AND o.epoch = held.epoch

-- name: attempt
UPDATE sink_offset SET attempts = attempts + 1, updated_at = now()
WHERE topic = %(topic)s AND partition = %(partition)s AND epoch = %(epoch)s

-- name: identify
UPDATE sink_offset AS o SET topic_id = held.topic_id, updated_at = now()
FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(epochs)s::bigint[], %(topic_ids)s::text[])
    AS held (topic, partition, epoch, topic_id)
WHERE o.topic = held.topic AND o.partition = held.partition AND o.epoch = held.epoch

-- name: evict
SELECT pg_terminate_backend(pid)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'sink_offset'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid() AND usename = current_user
    AND xact_start < clock_timestamp() - %(hung_after)s::interval

-- name: advance
UPDATE sink_offset AS o
SET next_offset = step.next_offset, attempts = 0, updated_at = now()
FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(epochs)s::bigint[], %(first_offsets)s::bigint[], %(next_offsets)s::bigint[])
    AS step (topic, partition, epoch, first_offset, next_offset)
WHERE o.topic = step.topic AND o.partition = step.partition
    AND o.epoch = step.epoch AND COALESCE(o.next_offset, 0) <= step.first_offset

-- name: rewind
UPDATE sink_offset
SET next_offset = %(next_offset)s, claimed_offset = %(next_offset)s, topic_id = %(topic_id)s, attempts = 0, stalls = 0,
    generation = generation + 1, recreated_at = now(), updated_at = now()
WHERE topic = %(topic)s AND partition = %(partition)s AND epoch = %(epoch)s

-- name: probe
UPDATE sink_offset SET updated_at = clock_timestamp()
WHERE topic = %(topic)s AND partition = %(partition)s AND epoch = %(epoch)s

-- name: stored_columns
SELECT relname, array_agg(attname::text)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attrelid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name) AND attnum > 0 AND NOT attisdropped
GROUP BY relname

-- name: asset_keys
SELECT asset_id, asset_key FROM asset LIMIT %(limit)s

-- name: add_assets
INSERT INTO asset AS a (asset_id, asset_class)
SELECT asset_id, asset_class FROM unnest(%(asset_ids)s::text[], %(classes)s::text[]) AS heard (asset_id, asset_class)
ON CONFLICT (asset_id) DO UPDATE SET asset_class = COALESCE(a.asset_class, excluded.asset_class)
RETURNING asset_id, asset_key

-- name: retain
SELECT relation, dropped FROM forewarn_retain(%(now)s, %(max_rows)s)

-- name: begin_purge
SELECT forewarn_begin_purge(%(removal_id)s, %(asset_id)s, %(asset_class)s, %(removed_at)s)

-- name: purge
SELECT relation, sum(dropped)::bigint FROM forewarn_purge(%(now)s, %(max_rows)s) GROUP BY relation

-- name: asset
INSERT INTO asset AS a (asset_id, asset_class, name, path, criticality, document, removed_at)
VALUES (
    %(asset_id)s, %(asset_class)s, %(name)s, %(path)s, %(criticality)s, %(document)s::jsonb, %(removed_at)s)
ON CONFLICT (asset_id) DO UPDATE SET
    asset_class = COALESCE(excluded.asset_class, a.asset_class), name = COALESCE(excluded.name, a.name),
    path = COALESCE(excluded.path, a.path), criticality = COALESCE(excluded.criticality, a.criticality),
    document = COALESCE(excluded.document, a.document), removed_at = excluded.removed_at

-- name: asset_health
INSERT INTO asset_health (
    ts, asset_key, health, trend_per_day, anomaly_score, deviation, rul_p10_days, rul_p50_days, rul_p90_days,
    anomaly_flag, category, trend, rul_failure_mode, primary_concern, document)
VALUES (
    %(ts)s, %(asset_key)s, %(health)s, %(trend_per_day)s, %(anomaly_score)s, %(deviation)s,
    %(rul_p10_days)s, %(rul_p50_days)s, %(rul_p90_days)s,
    %(anomaly_flag)s, %(category)s, %(trend)s, %(rul_failure_mode)s, %(primary_concern)s, %(document)s::jsonb)
ON CONFLICT (asset_key, ts) DO UPDATE SET
    health = excluded.health, trend_per_day = excluded.trend_per_day, anomaly_score = excluded.anomaly_score,
    deviation = excluded.deviation, rul_p10_days = excluded.rul_p10_days, rul_p50_days = excluded.rul_p50_days,
    rul_p90_days = excluded.rul_p90_days, anomaly_flag = excluded.anomaly_flag, category = excluded.category,
    trend = excluded.trend, rul_failure_mode = excluded.rul_failure_mode,
    primary_concern = excluded.primary_concern, document = excluded.document

-- name: alarm_event
WITH new AS (
    -- The alarm follows its transitions in their order on the topic, whatever their times say: those come from the
    -- clocks of gateways and of whoever acknowledges. A transition that is stored already is an old one come again.
    INSERT INTO alarm_event (alert_id, alarm_id, asset_id, at, transition, priority, by_whom, document)
    VALUES (%(alert_id)s, %(alarm_id)s, %(asset_id)s, %(at)s, %(transition)s, %(priority)s, %(by)s, %(document)s::jsonb)
    ON CONFLICT (alert_id) DO NOTHING
    RETURNING at
)
INSERT INTO alarm AS a (
    alarm_id, asset_id, rule, occurrence_id, priority, state, raised_at, changed_at, closed_at, message, document)
SELECT
    %(alarm_id)s, %(asset_id)s, %(rule)s, %(occurrence_id)s, %(priority)s, %(state)s, %(raised_at)s,
    at, %(closed_at)s::timestamptz, %(message)s, %(alarm)s::jsonb
FROM new
ON CONFLICT (alarm_id) DO UPDATE SET
    rule = excluded.rule, occurrence_id = excluded.occurrence_id, priority = excluded.priority,
    state = excluded.state, raised_at = excluded.raised_at, changed_at = excluded.changed_at,
    closed_at = excluded.closed_at, message = excluded.message, document = excluded.document

-- name: rejected
INSERT INTO rejected (
    rejected_id, topic, partition, source_offset, source_index, reason, rule, explanation, recommendation,
    asset_id, rejected_at, key, original)
SELECT
    CASE WHEN EXISTS (  -- a topic that is created again counts from 0 again: another message gets a longer id, always the same
        SELECT FROM rejected AS r WHERE r.rejected_id = %(rejected_id)s
            AND (r.rejected_at, r.key, r.original) IS DISTINCT FROM (%(rejected_at)s, %(key)s::bytea, %(original)s::bytea)
    ) THEN %(rejected_id)s::text || %(other)s::text ELSE %(rejected_id)s::text END,
    %(topic)s, %(partition)s::integer, %(offset)s::bigint, %(index)s::integer, %(reason)s, %(rule)s, %(explanation)s,
    %(recommendation)s, %(asset_id)s, %(rejected_at)s::timestamptz, %(key)s::bytea, %(original)s::bytea
ON CONFLICT (rejected_id) DO NOTHING

-- name: model
INSERT INTO model (asset_id, kind, version, method, trained_from, trained_to, rows, document)
VALUES (
    %(asset_id)s, %(kind)s, %(version)s, %(method)s, %(trained_from)s, %(trained_to)s, %(rows)s, %(document)s::jsonb)
ON CONFLICT (asset_id, kind, version) DO UPDATE SET
    method = excluded.method, trained_from = excluded.trained_from, trained_to = excluded.trained_to,
    rows = excluded.rows, document = excluded.document
