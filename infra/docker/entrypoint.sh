#!/bin/sh
# Run the service, or the command given. With exec the service is process 1 and receives SIGTERM itself.
#
# A replica is named after its container's host: unique among replicas and unchanged by a crash, so that a
# restarted replica gets its partitions back at once (Kafka's static membership). A recreated container has a
# new name; the group drops the old one after the session timeout of 10 s.
set -eu
export SERVICE_INSTANCE="${SERVICE_INSTANCE:-${HOSTNAME}}"
if [ "$#" -eq 0 ]; then
  set -- python -m "forewarn_${FOREWARN_SERVICE}"
fi
exec "$@"
