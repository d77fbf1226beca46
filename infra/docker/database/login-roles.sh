#!/bin/bash
# Runs once, when the database is initialised. Creates a login role for each service that uses the database; its
# rights come from a group role, to which the migration grants them (forewarn.adapters.timescale.roles).
set -euo pipefail
psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set sink_password="$SINK_DB_PASSWORD" --set api_password="$API_DB_PASSWORD" <<'SQL'
CREATE ROLE forewarn_sink NOLOGIN;
CREATE ROLE forewarn_api NOLOGIN;
CREATE ROLE sink LOGIN PASSWORD :'sink_password' IN ROLE forewarn_sink;
CREATE ROLE api LOGIN PASSWORD :'api_password' IN ROLE forewarn_api;
SQL
