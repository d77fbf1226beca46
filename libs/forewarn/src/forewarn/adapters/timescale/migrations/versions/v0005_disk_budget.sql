-- Tables share disk budgets by kind: refused messages have one of their own, so that junk cannot drive out readings.

ALTER TABLE retention ADD COLUMN kind text NOT NULL DEFAULT 'series' CHECK (kind IN ('series', 'rejected', 'events'));
COMMENT ON COLUMN retention.kind IS 'Whose budget in disk_budget it shares.';

CREATE TABLE disk_budget (
    kind  text PRIMARY KEY,
    bytes bigint NOT NULL CHECK (bytes > 0)
);
COMMENT ON TABLE disk_budget IS 'Bytes that all tables of a kind may take together; a kind without a row has no limit.';

-- Deleted rows leave room in a file that does not shrink: what counts is the live rows.
CREATE FUNCTION forewarn_live_bytes(rule retention) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    relation regclass := rule.table_name::regclass;
    sampled  integer := CASE rule.kind WHEN 'rejected' THEN 50 ELSE 500 END;  -- a refused message has up to megabytes
    result   bigint;
    live     double precision;
    width    double precision;
BEGIN
    IF rule.means IN ('policy', 'chunks') THEN
        EXECUTE 'SELECT hypertable_size($1)' INTO result USING relation;
        RETURN result;
    END IF;
    SELECT CASE WHEN s.n_live_tup > 0 THEN s.n_live_tup ELSE greatest(c.reltuples, 0) END
        INTO live FROM pg_class AS c LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid WHERE c.oid = relation;
    EXECUTE format('SELECT avg(pg_column_size(sample.*)) FROM (SELECT * FROM %I LIMIT %s) AS sample', rule.table_name, sampled)
        INTO width;
    -- 28 bytes of headers a row, and some 40 of each index
    result := live * (coalesce(width, 0) + 28
        + 40 * (SELECT count(*) FROM pg_index WHERE indrelid = relation));
    RETURN least(result, pg_total_relation_size(relation));
END
$$;
REVOKE ALL ON FUNCTION forewarn_live_bytes FROM PUBLIC;
COMMENT ON FUNCTION forewarn_live_bytes IS 'Bytes that the rows of a table take: exact with TimescaleDB, which drops chunks, estimated where rows are deleted.';

CREATE FUNCTION forewarn_oldest(rule retention) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    result timestamptz;
BEGIN
    IF rule.means = 'rows' THEN
        EXECUTE format('SELECT min(%I) FROM %I', rule.time_column, rule.table_name) INTO result;
    ELSIF rule.means = 'asset_rows' THEN  -- the index begins with the asset
        EXECUTE format(
            'SELECT min(first.at) FROM asset CROSS JOIN LATERAL ('
            'SELECT r.%2$I AS at FROM %1$I AS r WHERE r.asset_key = asset.asset_key ORDER BY r.%2$I LIMIT 1) AS first',
            rule.table_name, rule.time_column) INTO result;
    ELSE
        EXECUTE 'SELECT min(range_start) FROM timescaledb_information.chunks WHERE hypertable_name = $1'
            INTO result USING rule.table_name;
    END IF;
    RETURN result;
END
$$;
REVOKE ALL ON FUNCTION forewarn_oldest FROM PUBLIC;
COMMENT ON FUNCTION forewarn_oldest IS 'Time of the oldest row of a table, or where its oldest chunk begins.';

CREATE FUNCTION forewarn_drop_older(rule retention, cut timestamptz, max_rows integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    dropped bigint;
BEGIN
    IF cut IS NULL THEN
        RETURN 0;  -- the table is empty
    END IF;
    CASE rule.means
    WHEN 'rows' THEN
        EXECUTE format(
            'DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %2$I < $1 LIMIT $2))',
            rule.table_name, rule.time_column)
            USING cut, max_rows;
        GET DIAGNOSTICS dropped = ROW_COUNT;
    WHEN 'asset_rows' THEN
        EXECUTE format(
            'DELETE FROM %1$I WHERE ctid = ANY (ARRAY('
            'SELECT old.ctid FROM asset CROSS JOIN LATERAL ('
            'SELECT ctid FROM %1$I AS r WHERE r.asset_key = asset.asset_key AND r.%2$I < $1 LIMIT $2'
            ') AS old LIMIT $2))', rule.table_name, rule.time_column)
            USING cut, max_rows;
        GET DIAGNOSTICS dropped = ROW_COUNT;
    ELSE
        EXECUTE format('SELECT count(*) FROM drop_chunks(%L::regclass, older_than => $1)', rule.table_name)
            INTO dropped USING cut;
    END CASE;
    RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION forewarn_drop_older FROM PUBLIC;

-- Names an age for what is over its budget: with an even stream, that share of the time is what fits.
CREATE OR REPLACE FUNCTION forewarn_retain(at timestamptz, max_rows integer)
RETURNS TABLE (relation text, dropped bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    rule   retention%ROWTYPE;
    budget disk_budget%ROWTYPE;
    kept   double precision;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('forewarn_retain')) THEN
        RETURN;  -- another sink is at it
    END IF;
    FOR rule IN SELECT * FROM retention WHERE means <> 'policy' ORDER BY table_name LOOP
        relation := rule.table_name;
        dropped := forewarn_drop_older(rule, at - rule.keep, max_rows);
        RETURN NEXT;
    END LOOP;
    FOR budget IN SELECT * FROM disk_budget ORDER BY kind LOOP
        SELECT 0.95 * budget.bytes / nullif(sum(forewarn_live_bytes(r)), 0) INTO kept
            FROM retention AS r WHERE r.kind = budget.kind;
        CONTINUE WHEN kept IS NULL OR kept >= 0.95;
        FOR rule IN SELECT * FROM retention AS r WHERE r.kind = budget.kind ORDER BY r.table_name LOOP
            relation := rule.table_name;
            dropped := coalesce(
                forewarn_drop_older(rule, at - (at - forewarn_oldest(rule)) * kept, max_rows), 0);
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION forewarn_retain IS 'Drop what has outlived its retention, and the oldest of what exceeds its disk budget, at most max_rows a table where rows are deleted; the sink calls it until nothing is dropped.';
