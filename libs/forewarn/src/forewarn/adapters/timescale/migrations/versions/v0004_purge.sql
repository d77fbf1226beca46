-- Deletes what is stored of an asset that was removed for good, in portions.

CREATE TABLE purge (
    removal_id   text PRIMARY KEY,
    asset_id     text NOT NULL,
    asset_class  text NOT NULL,
    asset_key    integer NOT NULL,
    removed_at   timestamptz NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);
COMMENT ON TABLE purge IS 'Removals that delete history. asset_key is the key that the asset had: under the same id it has another one now, so what comes of a new asset is never deleted.';
CREATE INDEX purge_open ON purge (requested_at) WHERE finished_at IS NULL;

-- Called where the removal stands in the stream: rows before it have the old key, rows behind it the new one.
CREATE FUNCTION forewarn_begin_purge(removal text, asset text, class text, at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO purge (removal_id, asset_id, asset_class, asset_key, removed_at)
    SELECT removal, a.asset_id, class, a.asset_key, at FROM asset AS a WHERE a.asset_id = asset
    ON CONFLICT (removal_id) DO NOTHING;
    IF FOUND THEN
        -- without its document it is no longer listed among the removed assets
        UPDATE asset AS a
        SET asset_key = DEFAULT, document = CASE WHEN a.removed_at IS NULL THEN a.document END
        WHERE a.asset_id = asset;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION forewarn_begin_purge FROM PUBLIC;
COMMENT ON FUNCTION forewarn_begin_purge IS 'Gives an asset a new key and notes the old one, whose rows forewarn_purge() deletes.';

-- Rows of a key up to a time, the oldest first; by ranges of time, which compressed chunks can do.
CREATE FUNCTION forewarn_delete_rows(relation text, key integer, until timestamptz, max_rows integer)
RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    last timestamptz;
    deleted bigint;
BEGIN
    IF to_regclass(quote_ident(relation)) IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('SELECT ts FROM %I WHERE asset_key = $1 AND ts <= $2 ORDER BY ts OFFSET $3 LIMIT 1', relation)
        INTO last USING key, until, max_rows;
    EXECUTE format('DELETE FROM %I WHERE asset_key = $1 AND ts <= $2', relation) USING key, COALESCE(last, until);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
REVOKE ALL ON FUNCTION forewarn_delete_rows FROM PUBLIC;

CREATE FUNCTION forewarn_purge(at timestamptz, max_rows integer)
RETURNS TABLE (relation text, dropped bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    -- What was under way when the asset was removed goes as well, also if the sink was away meanwhile.
    grace CONSTANT interval := interval '1 hour';
    eager CONSTANT interval := interval '1 minute';  -- most of it comes so soon: worth looking again at once
    job purge%ROWTYPE;
    present integer;
    name text;
    deleted bigint;
    found_any boolean;
    total bigint := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('forewarn_purge')) THEN
        RETURN;  -- another sink is at it
    END IF;
    FOR job IN SELECT * FROM purge WHERE finished_at IS NULL
        ORDER BY requested_at + eager < at, requested_at LIMIT 100 LOOP
        EXIT WHEN total >= max_rows;  -- one call stays short, however many assets are purged
        found_any := false;
        -- the tombstone may arrive after the removal
        UPDATE asset AS a SET document = NULL
        WHERE a.asset_id = job.asset_id AND a.removed_at IS NOT NULL AND a.document IS NOT NULL;
        SELECT a.asset_key INTO present FROM asset AS a WHERE a.asset_id = job.asset_id AND a.removed_at IS NOT NULL;
        FOREACH name IN ARRAY ARRAY['readings_' || job.asset_class, 'results_' || job.asset_class, 'asset_health'] LOOP
            deleted := forewarn_delete_rows(name, job.asset_key, 'infinity', max_rows);
            IF present IS NOT NULL THEN
                deleted := deleted + forewarn_delete_rows(name, present, job.removed_at, max_rows);
            END IF;
            relation := name;
            dropped := deleted;
            found_any := found_any OR deleted > 0;
            total := total + deleted;
            RETURN NEXT;
        END LOOP;
        DELETE FROM alarm_event WHERE ctid = ANY (ARRAY(
            SELECT e.ctid FROM alarm_event AS e WHERE e.asset_id = job.asset_id AND (
                e.at <= job.removed_at OR e.document #>> '{alarm,comment}' = 'Asset removed') LIMIT max_rows));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        found_any := found_any OR deleted > 0;
        DELETE FROM alarm AS a WHERE a.asset_id = job.asset_id AND (
            a.changed_at <= job.removed_at OR a.document ->> 'comment' = 'Asset removed');
        DELETE FROM rejected WHERE ctid = ANY (ARRAY(
            SELECT r.ctid FROM rejected AS r
            WHERE r.asset_id = job.asset_id AND r.rejected_at <= job.removed_at LIMIT max_rows));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        found_any := found_any OR deleted > 0;
        DELETE FROM model AS m WHERE m.asset_id = job.asset_id AND m.trained_to <= job.removed_at;
        IF NOT found_any AND at >= job.requested_at + grace THEN
            DELETE FROM asset AS a WHERE a.asset_id = job.asset_id AND a.removed_at IS NOT NULL;
            UPDATE purge AS p SET finished_at = at WHERE p.removal_id = job.removal_id;
        ELSIF found_any OR at < job.requested_at + eager THEN
            relation := 'purge';  -- it is not finished: call again soon
            dropped := 0;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION forewarn_purge FROM PUBLIC;
COMMENT ON FUNCTION forewarn_purge IS 'Delete a portion of what is stored of purged assets; the sink calls it until nothing is left.';
