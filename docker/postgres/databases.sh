#!/bin/bash
# Make a database for Wirewatch and one for Airflow, each owned by a user that can do nothing else.
#
# The image runs this once, when its volume is empty. Airflow's is made in any case, since there is no second time.
set -euo pipefail

secrets=${SECRETS_FOLDER:-/run/secrets}

for name in wirewatch airflow; do
  psql --set=ON_ERROR_STOP=1 --no-psqlrc --no-password --quiet --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=name="$name" --set=password="$(cat "$secrets/${name}_database_password")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8';
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
