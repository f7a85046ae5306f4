"""compose.yaml: valid, nothing secret in it, nothing reachable or permitted that need not be."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from container_files import (
    DOCKER,
    PROFILES,
    ROOT,
    STEPS,
    NotGiven,
    compose,
    is_long_running,
    runs_wirewatch,
    secrets_of,
    services,
)
from jsonschema import Draft202012Validator

from pipeline.settings import LISTS, NAMES

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
each_service = pytest.mark.parametrize(
    "service", [each | {"name": name} for name, each in services().items()], ids=list(services())
)


def problems_of(document: Any) -> list[str]:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text("utf-8"))
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]


def test_it_follows_the_schema_of_the_compose_specification() -> None:
    assert problems_of(compose()) == []


def test_the_schema_finds_a_key_that_does_not_exist() -> None:
    document = compose()
    document["services"]["poll"]["memory_limit"] = "1g"
    assert len(problems_of(document)) == 1


def test_without_secrets_it_stops_with_a_sentence_that_says_what_to_do() -> None:
    with pytest.raises(NotGiven, match=r"There are no secrets yet\..* make docker-init or docker/init\.sh"):
        compose({})


def test_there_is_one_service_a_step_and_each_of_the_servers_in_core() -> None:
    core = {name for name, service in services().items() if "core" in service["profiles"]}
    assert core == {*STEPS, "kafka", "elasticsearch", "postgres", "elasticsearch-accounts", "setup", "prune"}


def test_every_profile_is_known_and_every_service_has_one() -> None:
    assert {profile for service in services().values() for profile in service["profiles"]} == set(PROFILES)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_holds_all_that_its_services_wait_for(profile: str) -> None:
    inside = {name: service for name, service in services().items() if profile in service["profiles"]}
    missing = {(name, other) for name, service in inside.items() for other in service.get("depends_on", ())} - {
        (name, other) for name in inside for other in inside
    }
    assert missing == set()


@each_service
def test_a_service_waits_until_servers_are_healthy_and_preparations_are_done(service: Any) -> None:
    for other, how in service.get("depends_on", {}).items():
        expected = "service_healthy" if is_long_running(services()[other]) else "service_completed_successfully"
        assert how["condition"] == expected, other
        assert expected != "service_healthy" or "healthcheck" in services()[other]


@pytest.mark.parametrize("step", [*STEPS, "prune"])
def test_a_step_waits_for_the_setup_which_waits_for_every_server(step: str) -> None:
    assert set(services()[step]["depends_on"]) == {"setup"}
    assert {"kafka", "postgres", "elasticsearch", "elasticsearch-accounts"} == set(services()["setup"]["depends_on"])


@each_service
def test_a_service_has_no_right_that_it_does_not_need(service: Any) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:0", service["user"]), "not root"
    assert service["pids_limit"] > 0
    assert service["init"] is True
    assert any(path.startswith("/tmp:") for path in service["tmpfs"])
    assert all("size=" in path for path in service["tmpfs"]), "memory that a file system may take is stated"


@each_service
def test_a_service_has_its_memory_stated_and_its_log_bounded(service: Any) -> None:
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_what_runs_on_is_watched_and_started_again(service: Any) -> None:
    if is_long_running(service):
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"].keys() >= {"test", "interval", "timeout", "retries", "start_period"}
    else:
        assert "healthcheck" not in service


@each_service
def test_an_image_is_pinned(service: Any) -> None:
    image, _, tag = service["image"].rpartition(":")
    assert image
    assert re.match(r"\d+\.\d+", tag), "a version, so neither latest nor a moving name"
    if runs_wirewatch(service):
        assert tag == VERSION
        assert service["build"]["target"] == image.removeprefix("wirewatch-")
        assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_the_parts_of_elastic_have_one_version() -> None:
    versions = {
        service["image"].rpartition(":")[2] for service in services().values() if "elastic.co" in service["image"]
    }
    assert len(versions) == 1


@each_service
def test_ports_are_for_this_machine_only(service: Any) -> None:
    for port in service.get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
        assert "outside" in service["networks"], "an internal network publishes no port"


def test_only_what_needs_the_world_has_a_way_out() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    out = {name for name, service in services().items() if "outside" in service["networks"]}
    assert out == {"poll", "fetch", "alert", "watch", "kibana", "airflow-api", "airflow-scheduler"}


@each_service
def test_no_value_in_the_file_is_a_secret(service: Any) -> None:
    for key, value in service.get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|TOKEN|API_KEY|FERNET|SQL_ALCHEMY|BROKER|STATE", key):
            assert re.fullmatch(r"(cat )?/(run/secrets|tmp)/\w+", str(value)), key
        assert "@" not in str(value), "an address with a login"


@each_service
def test_a_service_gets_the_secrets_it_names_and_no_other(service: Any) -> None:
    given = secrets_of(service)
    assert given.keys() <= compose()["secrets"].keys()
    text = json.dumps([service.get(key) for key in ("environment", "command", "healthcheck")])
    named = set(re.findall(r"/run/secrets/([\w.]+)", text))
    assert named <= given.keys()
    from_files = {  # what its settings and scripts name, which are files of their own
        "kafka": {"ca.crt", "kafka.pem", "kafka_password"},
        "elasticsearch": {"ca.crt", "elasticsearch.crt", "elasticsearch.key"},
        "postgres": {"wirewatch_database_password", "airflow_database_password"},
        "elasticsearch-accounts": {"ca.crt", "elastic_password", "index_password", "kibana_password"},
        "kibana": {"ca.crt", "kibana.crt", "kibana.key", "kibana.yml"},
    }.get(service["name"], {"ca.crt"})
    assert given.keys() <= named | from_files
    assert "ca.key" not in given, "what signs certificates stays outside"


@each_service
def test_every_setting_of_wirewatch_is_one_that_the_settings_know(service: Any) -> None:
    for key in service.get("environment", {}):
        if key.startswith("WIREWATCH_"):
            setting = key.removeprefix("WIREWATCH_").lower().removesuffix("_file")
            assert setting in NAMES, key
            assert setting not in LISTS or not key.endswith("_FILE")


def test_every_server_is_reached_over_tls_with_a_login() -> None:
    environment = services()["elasticsearch"]["environment"]
    assert environment["ELASTIC_PASSWORD_FILE"]
    elasticsearch = (DOCKER / "elasticsearch/elasticsearch.yml").read_text("utf-8")
    assert "xpack.security.enabled: true" in elasticsearch
    assert elasticsearch.count("\n  enabled: true") == 2
    kafka = (DOCKER / "kafka/server.properties").read_text("utf-8")
    assert "PLAINTEXT" not in kafka
    assert "CLIENT:SASL_SSL,CONTROLLER:SSL,INTERNAL:SSL" in kafka
    assert "ssl=on" in services()["postgres"]["command"]
    methods = [
        line.split()[-1]
        for line in (DOCKER / "postgres/pg_hba.conf").read_text("utf-8").splitlines()
        if line[:1] != "#"
    ]
    assert set(methods) == {"scram-sha-256"}


def test_every_mounted_path_of_the_repository_exists_and_is_read_only() -> None:
    for service in services().values():
        for volume in service.get("volumes", ()):
            source, _, rest = volume.partition(":")
            if source.startswith("."):
                assert (DOCKER / source).exists(), source
                assert rest.endswith(":ro")
            else:
                assert source in compose()["volumes"]


def test_the_readme_states_the_memory_of_every_service_and_the_sum_of_each_profile() -> None:
    text = (DOCKER / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (\d+) MiB \|", text, re.MULTILINE))
    stated = {name: megabytes(service["mem_limit"]) for name, service in services().items()}
    assert {name: int(size) for name, size in rows.items() if name in stated} == stated
    for profile in PROFILES:
        running = [
            stated[name]
            for name, service in services().items()
            if profile in service["profiles"] and is_long_running(service)
        ]
        assert int(rows[f"profile-{profile}"]) == sum(running)


def megabytes(limit: str) -> int:
    return int(limit[:-1]) * (1024 if limit.endswith("g") else 1)
