#!/bin/sh
# Runs the service, or the command given. exec: the service is process 1 and gets SIGTERM itself.
#
# A replica's name is its container's host name: unique among replicas, the same after a crash, so that a
# restarted replica gets its partitions back at once (Kafka's static membership). A container made anew has a
# new name; the group gives up the old one after the session timeout of 10 s.
set -eu
export SERVICE_INSTANCE="${SERVICE_INSTANCE:-${HOSTNAME}}"
if [ "$#" -eq 0 ]; then
  set -- python -m "forewarn_${FOREWARN_SERVICE}"
fi
exec "$@"
