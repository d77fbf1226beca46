-- Times come from the clocks of gateways and of whoever acknowledges; the order of a topic does not.

ALTER TABLE alarm_event ADD COLUMN arrival bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN alarm_event.arrival IS 'Rises in the order in which transitions were stored: of one asset, the order in which they were decided.';
COMMENT ON COLUMN alarm_event.at IS 'When it happened by the clock of whoever caused it: may go back from one transition to the next.';
CREATE INDEX alarm_event_alarm_arrival ON alarm_event (alarm_id, arrival);
DROP INDEX alarm_event_alarm;

-- Until now a transition with an earlier time than the one before it was stored and left the alarm as it was.
UPDATE alarm
SET occurrence_id = newest.document #>> '{alarm,occurrence_id}', priority = newest.priority,
    state = newest.document #>> '{alarm,state}', raised_at = (newest.document #>> '{alarm,raised_at}')::timestamptz,
    changed_at = newest.at, closed_at = CASE newest.transition WHEN 'closed' THEN newest.at END,
    message = newest.document #>> '{alarm,message}', document = newest.document -> 'alarm'
FROM (SELECT DISTINCT ON (alarm_id) * FROM alarm_event ORDER BY alarm_id, arrival DESC) AS newest
WHERE newest.alarm_id = alarm.alarm_id AND newest.at < alarm.changed_at;
