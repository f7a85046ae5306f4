#!/bin/sh
# Make every secret and certificate that compose.yaml asks for, into docker/secrets. Nothing is ever overwritten.
#
#   docker/init.sh                  passwords, settings that hold one, a certificate authority and its certificates
#   docker/init.sh --certificates   only new certificates, from the same authority; passwords stay
#
# Needs openssl, and nothing of Wirewatch.
set -eu
umask 077

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
secrets=$here/secrets
settings=$here/.env
server_days=825 # what Apple's systems accept at most; --certificates makes new ones
authority_days=3650

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# 24 random bytes in hexadecimal: nothing in it means anything to a URL, to YAML, to JSON or to SQL.
random() { openssl rand -hex 24; }

# write NAME VALUE...: one secret, without a line end.
write() {
  name=$1
  shift
  printf '%s' "$*" >"$folder/$name"
}

# Containers run as this user, since Compose hands files over as they are: they must be able to read 0600.
container_uid() {
  uid=$(id -u)
  if [ "$uid" -eq 0 ]; then uid=1000; fi # Elasticsearch refuses to be root, and so should everything
  printf '%s' "${CONTAINER_UID:-$uid}"
}

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1" 2>/dev/null; }

make_authority() {
  key "$folder/ca.key"
  openssl req -new -x509 -sha256 -days "$authority_days" -key "$folder/ca.key" -subj "/CN=Wirewatch containers" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$folder/ca.crt"
}

# make_certificate NAME: for the host NAME, and for localhost, where health checks and published ports are.
make_certificate() {
  key "$folder/$1.key"
  cat >"$folder/request.ext" <<END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:$1, DNS:localhost, IP:127.0.0.1
END
  openssl req -new -sha256 -key "$folder/$1.key" -subj "/CN=$1" -out "$folder/request.csr"
  openssl x509 -req -sha256 -days "$server_days" -in "$folder/request.csr" -extfile "$folder/request.ext" \
    -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -out "$folder/$1.crt" 2>/dev/null
  rm "$folder/request.csr" "$folder/request.ext"
}

make_certificates() {
  for name in kafka elasticsearch postgres kibana; do make_certificate "$name"; done
  # Kafka reads key and certificate from one file.
  cat "$folder/kafka.key" "$folder/kafka.crt" >"$folder/kafka.pem"
  rm "$folder/kafka.key" "$folder/kafka.crt"
}

make_wirewatch() {
  for name in kafka elastic index kibana postgres wirewatch_database airflow_database; do
    write "${name}_password" "$(random)"
  done
  trust=/run/secrets/ca.crt
  write broker "kafka://wirewatch:$(cat "$folder/kafka_password")@kafka:9092?ca=$trust&mechanism=SCRAM-SHA-512&replication=1"
  write index "https://wirewatch:$(cat "$folder/index_password")@elasticsearch:9200"
  write state "postgresql://wirewatch:$(cat "$folder/wirewatch_database_password")@postgres/wirewatch?sslmode=verify-full&sslrootcert=$trust"
  write webhook_secret "whsec_$(openssl rand -base64 32)"
}

make_kibana() {
  cat >"$folder/kibana.yml" <<END
server.host: 0.0.0.0
server.publicBaseUrl: https://localhost:5601
server.ssl.enabled: true
server.ssl.key: /run/secrets/kibana.key
server.ssl.certificate: /run/secrets/kibana.crt
elasticsearch.hosts: ["https://elasticsearch:9200"]
elasticsearch.username: kibana_system
elasticsearch.password: "$(cat "$folder/kibana_password")"
elasticsearch.ssl.certificateAuthorities: [/run/secrets/ca.crt]
elasticsearch.ssl.verificationMode: full
xpack.security.encryptionKey: "$(random)"
xpack.encryptedSavedObjects.encryptionKey: "$(random)"
xpack.reporting.encryptionKey: "$(random)"
telemetry.optIn: false
END
}

make_airflow() {
  write airflow_database "postgresql+psycopg://airflow:$(cat "$folder/airflow_database_password")@postgres/airflow?sslmode=verify-full&sslrootcert=/run/secrets/ca.crt"
  write airflow_fernet_key "$(openssl rand -base64 32 | tr '+/' '-_')"
  write airflow_jwt_secret "$(random)"
  write airflow_api_secret "$(random)"
  write airflow_users "{\"admin\": \"$(random)\"}"
}

# Root made the files, the containers' user must read them.
hand_over() {
  if [ "$(id -u)" -eq 0 ]; then chown -R "$(container_uid)" "$1"; fi
}

renew_certificates() {
  [ -e "$secrets/ca.key" ] || fail "There is no authority in $secrets to make certificates with; run docker/init.sh first."
  folder=$(mktemp -d "$here/secrets.new.XXXXXX")
  trap 'rm -rf "$folder"' EXIT
  cp "$secrets/ca.key" "$secrets/ca.crt" "$folder"
  make_certificates
  hand_over "$folder"
  # Into the same files, because running containers hold on to those and see nothing that takes their name.
  for made in "$folder"/*.crt "$folder"/*.key "$folder"/*.pem; do cat "$made" >"$secrets/${made##*/}"; done
  say "New certificates for $server_days days are in $secrets. Restart the containers to use them."
}

make_all() {
  if [ -e "$secrets" ]; then
    fail "$secrets exists and is left as it is: other passwords would lock the containers out of their volumes." \
      "To renew certificates: docker/init.sh --certificates. To begin anew: remove the volumes and that folder."
  fi
  folder=$(mktemp -d "$here/secrets.new.XXXXXX")
  trap 'rm -rf "$folder"' EXIT # so that half of them never pass for all
  make_authority
  make_certificates
  make_wirewatch
  make_kibana
  make_airflow
  hand_over "$folder"
  mv "$folder" "$secrets"
  trap - EXIT
  grep -qs '^CONTAINER_UID=' "$settings" || printf 'CONTAINER_UID=%s\n' "$(container_uid)" >>"$settings"
  grep -qs '^COMPOSE_PROFILES=' "$settings" || printf 'COMPOSE_PROFILES=core\n' >>"$settings"
  say "Secrets and certificates are in $secrets, settings of the containers in $settings." \
    "Keep a copy of both: without them the volumes cannot be opened."
}

command -v openssl >/dev/null || fail "docker/init.sh needs openssl; install it and run this again."
case ${1:-} in
  '') make_all ;;
  --certificates) renew_certificates ;;
  *) fail "docker/init.sh takes no word but --certificates." ;;
esac
