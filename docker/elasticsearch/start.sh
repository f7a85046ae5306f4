#!/bin/bash
# Start Elasticsearch from a configuration folder in memory.
#
# It writes a keystore into its configuration folder and reads certificates only from below it; the container's own
# folder is read-only. The image's start then puts the password of ELASTIC_PASSWORD_FILE into the new keystore.
set -euo pipefail

image=${ELASTICSEARCH_IMAGE_CONFIG:-/usr/share/elasticsearch/config}
secrets=${SECRETS_FOLDER:-/run/secrets}
settings=${ELASTICSEARCH_SETTINGS:-/etc/wirewatch/elasticsearch.yml}
start=${ELASTICSEARCH_START:-/usr/local/bin/docker-entrypoint.sh}

umask 077
cp -R "$image/." "$ES_PATH_CONF"
cp "$settings" "$ES_PATH_CONF/elasticsearch.yml"
mkdir -p "$ES_PATH_CONF/certs"
cp "$secrets/ca.crt" "$secrets/elasticsearch.crt" "$secrets/elasticsearch.key" "$ES_PATH_CONF/certs/"
exec "$start" eswrapper
