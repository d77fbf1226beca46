-- What a claim must know to outlive messages that end the sink, and topics that are deleted and created again.

ALTER TABLE sink_offset
    ADD COLUMN topic_id       text,
    ADD COLUMN generation     integer NOT NULL DEFAULT 1,
    ADD COLUMN recreated_at   timestamptz,
    ADD COLUMN claimant       text,
    ADD COLUMN claimed_offset bigint,
    ADD COLUMN stalls         integer NOT NULL DEFAULT 0,
    ADD COLUMN attempts       integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN sink_offset.topic_id IS 'The broker''s id of the topic that next_offset belongs to: a topic that is created again has another. NULL: not known yet.';
COMMENT ON COLUMN sink_offset.generation IS 'How many topics of this name there were.';
COMMENT ON COLUMN sink_offset.recreated_at IS 'When the sink found that the topic had been created again.';
COMMENT ON COLUMN sink_offset.claimant IS 'Process that holds the claim; NULL once it has given it back.';
COMMENT ON COLUMN sink_offset.claimed_offset IS 'next_offset when the partition was claimed.';
COMMENT ON COLUMN sink_offset.stalls IS 'Processes in a row that ended without storing anything of the partition and without giving it back.';
COMMENT ON COLUMN sink_offset.attempts IS 'How often the next message was taken by itself without an outcome: it may have ended the process each time.';
