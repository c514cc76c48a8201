#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: three roles, none of them a superuser, and the database of the first.
set -eu
for role in pledger_owner pledger_service pledger_sealer; do
  psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --command="create role $role login password '$POSTGRES_PASSWORD'"
done
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
  --command='create database pledger owner pledger_owner'
