"""Settings: where they come from, what wins, and what is said when they cannot be used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from settings_page import PAGE, settings_page

from pipeline.errors import UsageError
from pipeline.settings import NAMES, Settings, load_settings

CANARY = "canary-in-the-mine"


def written(folder: Path, text: str) -> Path:
    (folder / "wirewatch.toml").write_text(text, "utf-8")
    return folder


def complaint(folder: Path, environment: dict[str, str] | None = None, **given: object) -> str:
    with pytest.raises(UsageError) as raised:
        load_settings(folder=folder, environment=environment or {}, **given)
    return str(raised.value)


def test_without_anything_said_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(folder=tmp_path, environment={"HOME": "/", "WIREWATCHER": "x"})
    assert settings == Settings(folder=tmp_path.resolve())
    assert settings.data_folder == tmp_path.resolve() / "data"


def test_the_command_line_wins_over_the_environment_the_file_and_the_default(tmp_path: Path) -> None:
    written(tmp_path, 'contact = "file"\npoll_batch = 7\nlog_level = "info"')
    environment = {"WIREWATCH_POLL_BATCH": "8", "WIREWATCH_LOG_LEVEL": "debug"}
    settings = load_settings(folder=tmp_path, environment=environment, log_level="error", data=None)
    assert (settings.contact, settings.poll_batch, settings.log_level, settings.data) == ("file", 8, "error", "data")


def test_the_file_is_found_from_a_folder_below_and_paths_start_beside_it(tmp_path: Path) -> None:
    written(tmp_path, 'data = "store"\nconfig = "mine"')
    (tmp_path / "mine").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = load_settings(folder=below, environment={})
    assert settings.data_folder == (tmp_path / "store").resolve()
    assert settings.config_folder == (tmp_path / "mine").resolve()


def test_lists_are_arrays_in_the_file_and_separated_by_commas_in_the_environment(tmp_path: Path) -> None:
    written(tmp_path, 'stages = ["text"]')
    assert load_settings(folder=tmp_path, environment={}).stages == ("text",)
    environment = {"WIREWATCH_STAGES": "text, clean,", "WIREWATCH_ALLOW_ADDRESSES": ""}
    settings = load_settings(folder=tmp_path, environment=environment)
    assert (settings.stages, settings.allow_addresses) == (("text", "clean"), ())


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{CANARY}\n", "utf-8")
    for named in (str(tmp_path / "secret"), "secret"):
        settings = load_settings(folder=tmp_path, environment={"WIREWATCH_WEBHOOK_SECRET_FILE": named})
        assert settings.webhook_secret.get_secret_value() == CANARY
        assert CANARY not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_all_that_is_wrong_is_said_at_once_with_where_it_was_said(tmp_path: Path) -> None:
    written(tmp_path, 'pol_batch = 3\npages_keep_days = "many"\n[webhook]\nurl = "x"')
    text = complaint(tmp_path, {"WIREWATCH_INDEX_HEAP_MB": "3"}, log_level="loud")
    file = tmp_path / "wirewatch.toml"
    assert text.splitlines() == [
        "These settings cannot be used:",
        f"  {file}: unknown setting “pol_batch”; did you mean “poll_batch”?",
        f"  {file}: unknown setting “webhook”; did you mean “webhook_url”?",
        "  WIREWATCH_INDEX_HEAP_MB: index_heap_mb: Input should be greater than or equal to 15",
        f"  {file}: pages_keep_days: Input should be a valid integer, unable to parse string as an integer",
        "  --log-level: log_level: Input should be 'debug', 'info', 'warning' or 'error'",
    ]


def test_a_name_like_no_other_is_answered_with_all_there_are(tmp_path: Path) -> None:
    text = complaint(tmp_path, {"WIREWATCH_ZZZZZZZZZZ": "1"})
    assert "WIREWATCH_ZZZZZZZZZZ: unknown setting “zzzzzzzzzz”; known: data, config, broker" in text


def test_the_folder_of_the_file_is_no_setting(tmp_path: Path) -> None:
    assert "unknown setting “folder”" in complaint(tmp_path, {"WIREWATCH_FOLDER": "/"})


@pytest.mark.parametrize("text", [f"webhook_secret = '{CANARY}", f"webhook_secret = ['{CANARY}']", "\x00", "= 1"])
def test_a_file_that_cannot_be_used_is_named_and_its_values_are_not(tmp_path: Path, text: str) -> None:
    said = complaint(written(tmp_path, text))
    assert str(tmp_path / "wirewatch.toml") in said
    assert CANARY not in said


def test_a_setting_said_twice_in_the_environment_is_refused(tmp_path: Path) -> None:
    environment = {"WIREWATCH_CONTACT": CANARY, "WIREWATCH_CONTACT_FILE": "/dev/null"}
    said = complaint(tmp_path, environment)
    assert said == "WIREWATCH_CONTACT and WIREWATCH_CONTACT_FILE say the same setting twice; unset one of them."


@pytest.mark.parametrize(("content", "cause"), [(None, "No such file"), (b"\xff\xfe\x00", "not UTF-8 text")])
def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, cause: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    said = complaint(tmp_path, {"WIREWATCH_WEBHOOK_SECRET_FILE": "secret"})
    assert "WIREWATCH_WEBHOOK_SECRET_FILE names a file that" in said
    assert cause in said


def test_a_config_folder_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    assert complaint(tmp_path, config="nowhere").endswith(
        f"--config: config: there is no folder {tmp_path / 'nowhere'}"
    )


def test_the_shipped_configuration_is_used_until_there_is_one_beside_the_file(tmp_path: Path) -> None:
    assert (load_settings(folder=tmp_path, environment={}).config_folder / "feeds.opml").is_file()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "feeds.opml").write_text("<opml/>", "utf-8")
    assert load_settings(folder=tmp_path, environment={}).config_folder == (tmp_path / "config").resolve()


def test_variables_of_the_tests_are_no_settings(tmp_path: Path) -> None:
    load_settings(folder=tmp_path, environment={"WIREWATCH_FAILPOINT": "a:1", "WIREWATCH_TEST_POSTGRES": "x"})


def test_every_setting_is_described() -> None:
    assert [name for name in NAMES if not Settings.model_fields[name].description] == []


def test_the_page_on_settings_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == settings_page(), "run: python tests/settings_page.py"


def test_the_example_on_the_page_can_be_used(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert set(tomllib.loads(example)) <= set(NAMES)
    load_settings(folder=written(tmp_path, example), environment={})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages = []", "stages: Tuple should have at least 1 item"),
        ("poll_batch = true", "poll_batch: cannot be true"),
        ('data = ""', "data: is empty; name a folder"),
    ],
)
def test_what_would_do_nothing_or_was_meant_otherwise_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(written(tmp_path, text))


def test_a_folder_in_the_place_of_the_file_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "wirewatch.toml").mkdir()
    assert "wirewatch.toml cannot be read: Is a directory" in complaint(tmp_path)


def test_a_proxy_is_checked_when_the_settings_are_read_and_its_login_is_a_secret(tmp_path: Path) -> None:
    said = complaint(tmp_path, {"WIREWATCH_PROXY": f"socks5://me:{CANARY}@proxy.example:1"})
    assert "WIREWATCH_PROXY: proxy: Value error, a proxy is written as http://host:port" in said
    assert CANARY not in said
    settings = load_settings(folder=tmp_path, environment={"WIREWATCH_PROXY": f"http://me:{CANARY}@proxy.example:3128"})
    assert {CANARY, f"me:{CANARY}"} <= settings.secrets()
    assert CANARY not in repr(settings)


def test_the_secrets_of_the_access_file_are_among_the_secrets(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "access.toml").write_text(f'[a]\nhosts = ["h"]\nuser = "u"\npassword = "{CANARY}"\n')
    settings = load_settings(folder=tmp_path, environment={"WIREWATCH_CONFIG": str(tmp_path / "config")})
    assert CANARY in settings.secrets()
    (tmp_path / "config" / "access.toml").write_text("[a]\nuser = 7")
    assert CANARY not in settings.secrets()
