-- Tables that do not depend on the catalogue. Those of the asset classes are generated from it.

CREATE TABLE asset (
    asset_key   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset_id    text NOT NULL UNIQUE,
    asset_class text,
    name        text,
    path        text[],
    criticality smallint,
    document    jsonb,
    removed_at  timestamptz
);
COMMENT ON TABLE asset IS 'Every asset ever heard of. A row without document has readings but no registry entry.';
COMMENT ON COLUMN asset.asset_key IS 'Stands for the asset in the time series tables; no foreign key there: rows are never deleted here, and the check would cost more than the row.';

CREATE TABLE sink_offset (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    epoch       bigint NOT NULL,
    next_offset bigint,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE sink_offset IS 'How far each partition is stored, and the epoch of the sink that may go on: a claim raises it, a write demands it.';
COMMENT ON COLUMN sink_offset.next_offset IS 'First message that is not stored yet; NULL: none was.';

CREATE TABLE asset_health (
    ts               timestamptz NOT NULL,
    asset_key        integer NOT NULL,
    health           double precision,
    trend_per_day    double precision,
    anomaly_score    double precision,
    deviation        double precision,
    rul_p10_days     double precision,
    rul_p50_days     double precision,
    rul_p90_days     double precision,
    anomaly_flag     boolean NOT NULL,
    category         text,
    trend            text NOT NULL,
    rul_failure_mode text,
    primary_concern  text,
    document         jsonb NOT NULL,
    PRIMARY KEY (asset_key, ts)
);
COMMENT ON TABLE asset_health IS 'Health events. rul_* is the failure mode with the shortest median; document is the whole event.';

CREATE TABLE alarm (
    alarm_id      text PRIMARY KEY,
    asset_id      text NOT NULL,
    rule          text NOT NULL,
    occurrence_id text NOT NULL,
    priority      text NOT NULL,
    state         text NOT NULL,
    raised_at     timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    closed_at     timestamptz,
    message       text NOT NULL,
    document      jsonb NOT NULL
);
COMMENT ON TABLE alarm IS 'Present state of each (asset, rule) that ever alarmed; open while closed_at is NULL.';
CREATE INDEX alarm_raised ON alarm (raised_at, alarm_id);
CREATE INDEX alarm_open ON alarm (raised_at, alarm_id) WHERE closed_at IS NULL;
CREATE INDEX alarm_asset ON alarm (asset_id, raised_at);

CREATE TABLE alarm_event (
    alert_id   text PRIMARY KEY,
    alarm_id   text NOT NULL,
    asset_id   text NOT NULL,
    at         timestamptz NOT NULL,
    transition text NOT NULL,
    priority   text NOT NULL,
    by_whom    text NOT NULL,
    document   jsonb NOT NULL
);
COMMENT ON TABLE alarm_event IS 'Every transition of every alarm; document is the whole event.';
CREATE INDEX alarm_event_at ON alarm_event (at, alert_id);
CREATE INDEX alarm_event_alarm ON alarm_event (alarm_id, at);
CREATE INDEX alarm_event_asset ON alarm_event (asset_id, at);

CREATE TABLE rejected (
    rejected_id    text PRIMARY KEY,
    topic          text NOT NULL,
    partition      integer NOT NULL,
    source_offset  bigint NOT NULL,
    source_index   integer,
    reason         text NOT NULL,
    rule           text,
    explanation    text NOT NULL,
    recommendation text NOT NULL,
    asset_id       text,
    rejected_at    timestamptz NOT NULL,
    key            bytea,
    original       bytea NOT NULL
);
COMMENT ON TABLE rejected IS 'Refused messages with their original bytes, to understand and to replay.';
CREATE INDEX rejected_at ON rejected (rejected_at, rejected_id);
CREATE INDEX rejected_asset ON rejected (asset_id, rejected_at) WHERE asset_id IS NOT NULL;

CREATE TABLE model (
    asset_id     text NOT NULL,
    kind         text NOT NULL,
    version      integer NOT NULL,
    method       text NOT NULL,
    trained_from timestamptz NOT NULL,
    trained_to   timestamptz NOT NULL,
    rows         integer NOT NULL,
    document     jsonb NOT NULL,
    PRIMARY KEY (asset_id, kind, version)
);
COMMENT ON TABLE model IS 'Cards of all model versions.';

CREATE TABLE retention (
    table_name  text PRIMARY KEY,
    time_column text NOT NULL,
    keep        interval NOT NULL,
    means       text NOT NULL CHECK (means IN ('policy', 'chunks', 'asset_rows', 'rows'))
);
COMMENT ON TABLE retention IS 'How long rows live. means: policy = TimescaleDB drops chunks by itself; chunks = forewarn_retain() drops chunks; asset_rows, rows = it deletes rows, found by asset or by time.';

-- Owned by the migrating role, so that the sink's role need not own what it cleans.
CREATE FUNCTION forewarn_retain(at timestamptz, max_rows integer)
RETURNS TABLE (relation text, dropped bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    rule retention%ROWTYPE;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('forewarn_retain')) THEN
        RETURN;  -- another sink is at it
    END IF;
    FOR rule IN SELECT * FROM retention WHERE means <> 'policy' ORDER BY table_name LOOP
        relation := rule.table_name;
        CASE rule.means
        WHEN 'chunks' THEN
            EXECUTE format('SELECT count(*) FROM drop_chunks(%L::regclass, older_than => $1)', rule.table_name)
                INTO dropped USING at - rule.keep;
        WHEN 'asset_rows' THEN
            EXECUTE format(
                'DELETE FROM %1$I WHERE ctid = ANY (ARRAY('
                'SELECT old.ctid FROM asset CROSS JOIN LATERAL ('
                'SELECT ctid FROM %1$I AS r WHERE r.asset_key = asset.asset_key AND r.%2$I < $1 LIMIT $2'
                ') AS old LIMIT $2))', rule.table_name, rule.time_column)
                USING at - rule.keep, max_rows;
            GET DIAGNOSTICS dropped = ROW_COUNT;
        ELSE
            EXECUTE format(
                'DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %2$I < $1 LIMIT $2))',
                rule.table_name, rule.time_column)
                USING at - rule.keep, max_rows;
            GET DIAGNOSTICS dropped = ROW_COUNT;
        END CASE;
        RETURN NEXT;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION forewarn_retain FROM PUBLIC;
COMMENT ON FUNCTION forewarn_retain IS 'Drop what has outlived its retention, at most max_rows a table where rows are deleted; the sink calls it until nothing is dropped.';
