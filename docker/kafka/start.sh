#!/bin/sh
# Start Kafka; on an empty volume prepare it first, with the one user that clients have.
#
# The image's own start does not know how to make a SCRAM user, and without one no client could ever log in to make it.
set -eu

home=${KAFKA_HOME:-/opt/kafka}
settings=${KAFKA_SETTINGS:-/etc/wirewatch/server.properties}
password=${KAFKA_PASSWORD_FILE:-/run/secrets/kafka_password}
data=$(sed -n 's/^log\.dirs=//p' "$settings")

if [ ! -e "$data/meta.properties" ]; then
  "$home/bin/kafka-storage.sh" format --config "$settings" --cluster-id "$("$home/bin/kafka-storage.sh" random-uuid)" \
    --add-scram "SCRAM-SHA-512=[name=wirewatch,password=$(cat "$password")]"
fi
exec "$home/bin/kafka-server-start.sh" "$settings"
