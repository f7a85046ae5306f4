"""init.sh: all secrets at once, readable by one user, never overwritten; certificates that clients accept."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml
from container_files import ROOT, compose, copy_of_docker, init, initialised

from pipeline.adapters.kafka_broker import parse_location

HOSTS = ("kafka", "elasticsearch", "postgres", "kibana")


def certificate_of(secrets: Path, host: str) -> Path:
    return secrets / ("kafka.pem" if host == "kafka" else f"{host}.crt")


def test_it_makes_every_file_that_compose_mounts(container_secrets: Path) -> None:
    wanted = {Path(each["file"]).name for each in compose()["secrets"].values()}
    assert {each["file"].split("/")[0] for each in compose()["secrets"].values()} == {"secrets"}
    assert wanted | {"ca.key"} == {path.name for path in container_secrets.iterdir()}
    assert all(path.stat().st_size for path in container_secrets.iterdir())


def test_only_the_user_that_the_containers_run_as_can_read_them(container_secrets: Path) -> None:
    settings = dict(line.split("=") for line in (container_secrets.parent / ".env").read_text("ascii").splitlines())
    uid = int(settings["CONTAINER_UID"])
    assert uid == (os.getuid() or 1000)
    assert container_secrets.stat().st_mode & 0o777 == 0o700
    for path in (container_secrets, *container_secrets.iterdir()):
        assert path.stat().st_uid == uid
    for path in container_secrets.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path.name


def test_compose_runs_with_the_settings_that_it_writes(container_secrets: Path) -> None:
    settings = dict(line.split("=") for line in (container_secrets.parent / ".env").read_text("ascii").splitlines())
    assert compose(settings)["services"]["poll"]["user"] == f"{settings['CONTAINER_UID']}:0"
    assert settings["COMPOSE_PROFILES"] == "core"


def test_no_secret_is_the_same_in_two_places_or_on_two_machines(tmp_path: Path, container_secrets: Path) -> None:
    other = initialised(tmp_path) / "secrets"
    names = [path.name for path in other.iterdir()]
    made = [(folder / name).read_bytes() for folder in (container_secrets, other) for name in names]
    assert len(set(made)) == len(made)


def test_it_refuses_to_overwrite_and_says_why(tmp_path: Path) -> None:
    copy = initialised(tmp_path)
    before = {path: path.read_bytes() for path in (copy / "secrets").iterdir()}
    ran = init(copy)
    assert ran.returncode == 1
    assert "exists and is left as it is" in ran.stderr
    assert "--certificates" in ran.stderr
    assert {path: path.read_bytes() for path in (copy / "secrets").iterdir()} == before


def test_what_was_written_into_the_settings_by_hand_stays(tmp_path: Path) -> None:
    copy = copy_of_docker(tmp_path)
    (copy / ".env").write_text("WIREWATCH_CONTACT=mailto:desk@example.org\nCOMPOSE_PROFILES=core,kibana\n", "ascii")
    assert init(copy).returncode == 0
    lines = (copy / ".env").read_text("ascii").splitlines()
    assert lines[:2] == ["WIREWATCH_CONTACT=mailto:desk@example.org", "COMPOSE_PROFILES=core,kibana"]
    assert [line.partition("=")[0] for line in lines[2:]] == ["CONTAINER_UID"]


def test_a_failure_leaves_no_half_of_the_secrets(tmp_path: Path) -> None:
    copy = copy_of_docker(tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "openssl").write_text('#!/bin/sh\n[ $1 != x509 ] && exec /usr/bin/openssl "$@"\nexit 1\n', "ascii")
    (programs / "openssl").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run([copy / "init.sh"], env=os.environ | {"PATH": path}, capture_output=True, check=False)
    assert ran.returncode != 0
    assert list(copy.glob("secrets*")) == []


def test_a_certificate_is_for_its_host_and_localhost_and_from_the_authority(container_secrets: Path) -> None:
    for host in HOSTS:
        for name in (host, "localhost"):
            assert verified(container_secrets, host, "-verify_hostname", name)
        assert verified(container_secrets, host, "-verify_ip", "127.0.0.1")
        assert not verified(container_secrets, host, "-verify_hostname", "example.org")
        assert verified(container_secrets, host, "-purpose", "sslserver")
        assert not verified(container_secrets, host, "-CAfile", str(certificate_of(container_secrets, "kibana")))


def test_the_authority_can_sign_and_the_certificates_cannot(container_secrets: Path) -> None:
    assert "CA:TRUE" in text_of(container_secrets / "ca.crt")
    for host in HOSTS:
        assert "CA:FALSE" in text_of(certificate_of(container_secrets, host))


def test_new_certificates_come_from_the_same_authority_and_the_passwords_stay(tmp_path: Path) -> None:
    copy = initialised(tmp_path)
    mounted = tmp_path / "mounted"  # as in running containers: the same files, under names of their own
    shutil.copytree(copy / "secrets", mounted, copy_function=os.link)
    before = {path.name: path.read_bytes() for path in mounted.iterdir()}
    assert init(copy, "--certificates").returncode == 0
    after = {path.name: path.read_bytes() for path in mounted.iterdir()}
    files = {f"{host}.{kind}" for host in ("elasticsearch", "postgres", "kibana") for kind in ("crt", "key")}
    assert {name for name in before if before[name] != after[name]} == {"kafka.pem", *files}
    assert all(verified(copy / "secrets", host, "-verify_hostname", host) for host in HOSTS)
    assert list(copy.glob("secrets.new*")) == []


def test_the_settings_with_a_password_are_ones_that_wirewatch_can_read(container_secrets: Path) -> None:
    broker = parse_location((container_secrets / "broker").read_text("ascii"))
    assert broker.client_settings() == {
        "bootstrap_servers": ["kafka:9092"],
        "proxy_url": "direct://",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "wirewatch",
        "sasl_plain_password": (container_secrets / "kafka_password").read_text("ascii"),
        "ssl_cafile": "/run/secrets/ca.crt",
    }
    assert broker.replication == 1
    assert (container_secrets / "index").read_text("ascii").startswith("https://wirewatch:")
    assert "sslmode=verify-full" in (container_secrets / "state").read_text("ascii")
    webhook = (container_secrets / "webhook_secret").read_text("ascii")
    assert len(base64.b64decode(webhook.removeprefix("whsec_"), validate=True)) == 32


def test_what_kibana_and_airflow_get_is_of_their_form(container_secrets: Path) -> None:
    kibana = yaml.safe_load((container_secrets / "kibana.yml").read_text("ascii"))
    assert kibana["elasticsearch.password"] == (container_secrets / "kibana_password").read_text("ascii")
    assert all(len(value) >= 32 for name, value in kibana.items() if name.endswith("ncryptionKey"))
    assert list(json.loads((container_secrets / "airflow_users").read_text("ascii"))) == ["admin"]
    assert len(base64.urlsafe_b64decode((container_secrets / "airflow_fernet_key").read_bytes())) == 32


def test_git_never_sees_a_secret() -> None:
    names = ["docker/secrets/ca.key", "docker/.env", "docker/secrets.new.abc/ca.key"]
    ignored = subprocess.run(["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ignored.stdout.split() == names


def test_no_archive_of_the_source_holds_a_secret(tmp_path: Path) -> None:
    (tmp_path / "docker/secrets").mkdir(parents=True)
    for name in ("docker/secrets/ca.key", "docker/.env", "docker/compose.yaml"):
        (tmp_path / name).touch()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path / "dist", tmp_path]
    subprocess.run(build, capture_output=True, check=True)
    [archive] = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames() if "/docker/" in name}
    assert names == {"docker/compose.yaml"}


def test_a_word_that_it_does_not_know_is_refused(tmp_path: Path) -> None:
    assert init(copy_of_docker(tmp_path), "--force").returncode == 1


def verified(secrets: Path, host: str, *options: str) -> bool:
    trust = [] if "-CAfile" in options else ["-CAfile", str(secrets / "ca.crt")]
    command = ["openssl", "verify", "-no-CApath", *trust, *options, str(certificate_of(secrets, host))]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def text_of(certificate: Path) -> str:
    return subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-text"], capture_output=True, text=True, check=True
    ).stdout
