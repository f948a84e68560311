from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from newsletter.config.home import Home
from newsletter.config.load import commented_toml, current, load, start, unknown_variables
from newsletter.config.schema import Config, keys
from newsletter.core.errors import ConfigError
from newsletter.core.tokens import Keys, read_token, token


def _home(folder: Path, text: str = "") -> Home:
    (folder / "newsletter.toml").write_text(text, encoding="utf-8")
    return Home(folder, "--home")


def test_with_no_home_everything_has_its_default() -> None:
    loaded = load(None, {})
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}
    with pytest.raises(ConfigError, match="newsletter init"):
        loaded.config.need_home()


def test_the_environment_beats_the_file_and_the_file_beats_the_default(tmp_path: Path) -> None:
    home = _home(tmp_path, 'base_url = "https://file.example.org"\n[web]\nport = 9000\n')
    loaded = load(home, {"NEWSLETTER_WEB_PORT": "9001"})
    assert (loaded.config.base_url, loaded.config.port, loaded.config.bind) == (
        "https://file.example.org",
        9001,
        "127.0.0.1",
    )
    assert loaded.origins["base_url"] == f"{tmp_path}/newsletter.toml:1"
    assert loaded.origins["web.port"] == "NEWSLETTER_WEB_PORT"
    assert loaded.origins["web.bind"] == "default"


def test_a_process_loads_once_and_tells_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.config.load._started", None)
    for name in ("NEWSLETTER_HOME", "NEWSLETTER_WEB_PORT"):
        monkeypatch.setenv(name, "")
    monkeypatch.chdir(tmp_path)
    assert current().home is None
    home = _home(tmp_path, "[web]\nport = 9000\n")
    assert current().config.port == 9000
    loaded = start(str(tmp_path))
    home.config_file.write_text("[web]\nport = 9001\n")
    assert current() is loaded
    assert loaded.home is not None and loaded.home.found_by == "--home"
    assert os.environ["NEWSLETTER_HOME"] == str(tmp_path)


def test_every_key_can_be_set_by_its_variable(tmp_path: Path) -> None:
    words = {"str": "x", "int": "7", "bool": "true", "list": "a, b", "folder": "here"}
    special = {
        "base_url": "https://x.example",
        "log_level": "DEBUG",
        "journal": "strict",
        "signup_look_up": "false",
        "studio_language": "nl",
        "database_url": "sqlite:///x",
    }
    for key in keys():
        text = special.get(key.attribute, words[key.type])
        loaded = load(_home(tmp_path), {key.variable: text})
        assert loaded.origins[key.dotted] == key.variable
        assert getattr(loaded.config, key.attribute) != key.default


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load(None, {"NEWSLETTER_WEB_PORT": "", "DATABASE_URL": ""}).config == Config()


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@h/n\n")
    assert load(None, {"DATABASE_URL_FILE": str(tmp_path / "url")}).config.database_url == "postgresql://u:p@h/n"
    with pytest.raises(ConfigError, match="DATABASE_URL_FILE"):
        load(None, {"DATABASE_URL_FILE": str(tmp_path / "none")})


def test_only_secrets_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    assert load(None, {"NEWSLETTER_WEB_PORT_FILE": str(tmp_path / "port")}).config.port == 8000


def test_the_key_of_the_home_is_read_and_beaten_by_the_environment(tmp_path: Path) -> None:
    home = _home(tmp_path)
    assert load(home, {}).config.secret_key == ""
    (tmp_path / "secret.key").write_text("from the file\n")
    assert load(home, {}).config.secret_key == "from the file"
    assert load(home, {"NEWSLETTER_SECRET_KEY": "from outside"}).config.secret_key == "from outside"


def test_secret_keys_of_before_stand_below_the_one_that_signs(tmp_path: Path) -> None:
    home = _home(tmp_path)
    home.secret_file.write_text("new\n\n old \noldest\n")
    config = load(home, {}).config
    assert (config.secret_key, config.previous_secret_keys) == ("new", ("old", "oldest"))
    for text in ("new", "old", "oldest"):
        assert read_token(config.token_keys, "unsubscribe", token(Keys(text.encode()), "unsubscribe", 7)) == 7
    assert token(config.token_keys, "unsubscribe", 7) == token(Keys(b"new"), "unsubscribe", 7)
    (tmp_path / "before").write_text("a\nb\n")
    outside = {"NEWSLETTER_PREVIOUS_SECRET_KEYS_FILE": str(tmp_path / "before")}
    assert load(None, outside).config.previous_secret_keys == ("a", "b")
    assert load(None, {"NEWSLETTER_PREVIOUS_SECRET_KEYS": "a, b"}).config.previous_secret_keys == ("a", "b")


def test_secrets_do_not_show_when_a_config_is_printed() -> None:
    environ = {"NEWSLETTER_SECRET_KEY": "hush", "DATABASE_URL": "postgresql://u:hush@h/n"}
    assert "hush" not in repr(load(None, environ))


def test_folders_are_meant_from_the_home(tmp_path: Path) -> None:
    config = load(_home(tmp_path, '[folders]\nmedia = "pictures"\noutbox = "/var/outbox"\n'), {}).config
    assert config.media_folder == tmp_path / "pictures"
    assert config.outbox_folder == Path("/var/outbox")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('bse_url = "x"', r'newsletter\.toml:1: There is no key "bse_url"\. Did you mean "base_url"\?'),
        ("[web]\nbind = '::'\nprot = 1", r'newsletter\.toml:3: There is no key "web\.prot"\. Did you mean "port"\?'),
        ("\n[wbe]\nport = 1", r'newsletter\.toml:2: There is no key "wbe"\. Did you mean "web"\?'),
        ("web = 3", r'newsletter\.toml:1: "web" is a section\. Write: \[web\]'),
        ('[web]\nport = "8000"', r'newsletter\.toml:2: "web\.port" must be a whole number, not "8000"'),
        ("[web]\nport = true", r'newsletter\.toml:2: "web\.port" must be a whole number, not true'),
        ("debug = 1", r'"debug" must be true or false, not 1'),
        ("debug = 2026-01-01", r'"debug" must be true or false, not 2026-01-01'),
        ("[web]\nallowed_hosts = [1]", r'"web\.allowed_hosts" must be a list of texts, not \[1\]'),
        ("[web]\nport = 70000", r'"web\.port" must be from 0 to 65535, not 70000'),
        ("[web]\nthreads = 0", r'"web\.threads" must be from 1 to 256, not 0'),
        ('log_level = "debug"', r'"log_level" can\'t be "debug"'),
        ('[studio]\nlanguage = "dutch"', r'"studio.language" can\'t be "dutch".*like "en", "nl", "pt-BR"'),
        ('[studio]\nlanguage = ""', r'"studio.language" can\'t be "".*like "en"'),
        ('secret_key = "x"', r'"secret_key" has no place in this file.*secret\.key'),
        ('base_url = "news.example.org"', r'"base_url" must be an address like https'),
        ('base_url = "https://news.example.org/letters"', r'"base_url" must have no path \(/letters\)'),
        ('base_url = "https://a.example:port"', r'"base_url" must be an address'),
        ('[database]\nurl = "mysql://u:hush@h/n"', r'newsletter\.toml:2: The database can\'t be "mysql"'),
        ("base_url = ", r"newsletter\.toml:1: This is not valid TOML: "),
        ("debug = true\ndebug = false\n", r"newsletter\.toml:2: This is not valid TOML"),
        ('base_url = """\n\n', r"newsletter\.toml:\d: This is not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(_home(tmp_path, text), {})
    assert "hush" not in str(caught.value)


def test_a_file_in_the_wrong_encoding_is_named(tmp_path: Path) -> None:
    home = _home(tmp_path)
    home.config_file.write_bytes(b'base_url = "\xff"')
    with pytest.raises(ConfigError, match=r"newsletter\.toml: The file can't be read: it is not UTF-8 .* Save it as"):
        load(home, {})


def test_a_key_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(ConfigError, match=r"secret\.key: The secret key can't be read"):
        load(_home(tmp_path), {})


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("NEWSLETTER_WEB_PORT", "8k", 'NEWSLETTER_WEB_PORT: "8k" is not a whole number'),
        ("NEWSLETTER_DEBUG", "1", 'NEWSLETTER_DEBUG: "1" is neither true nor false'),
        ("NEWSLETTER_LOG_LEVEL", "LOUD", "NEWSLETTER_LOG_LEVEL"),
        ("DATABASE_URL", "mysql://u:hush@h/n", 'DATABASE_URL: The database can\'t be "mysql"'),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(variable: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(None, {variable: text})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(("text", "tag"), [("NL", "nl"), ("pt_br", "pt-BR"), ("zh-hans", "zh-Hans"), (" de ", "de")])
def test_the_language_of_the_studio_is_a_tag_as_the_standards_write_it(text: str, tag: str) -> None:
    assert load(None, {"NEWSLETTER_STUDIO_LANGUAGE": text}).config.studio_language == tag


def test_a_slash_at_the_end_of_the_public_address_does_no_harm() -> None:
    config = load(None, {"NEWSLETTER_BASE_URL": "https://news.example.org/"}).config
    assert (config.base_url, config.host) == ("https://news.example.org", "news.example.org")


def test_a_slip_in_a_variables_name_is_noticed_and_a_secret_of_ones_own_is_not() -> None:
    environ = {"NEWSLETTER_BASE_ULR": "x", "NEWSLETTER_SMTP_PASSWORD": "x", "NEWSLETTER_HOME": "x", "PATH": "x"}
    assert unknown_variables(environ) == [("NEWSLETTER_BASE_ULR", "NEWSLETTER_BASE_URL")]


def test_the_commented_file_is_the_default_with_and_without_its_comments(tmp_path: Path) -> None:
    text = commented_toml()
    assert tomllib.loads(text) == {
        "database": {},
        "web": {},
        "folders": {},
        "deliver": {},
        "fetch": {},
        "studio": {},
        "signup": {},
        "retention": {},
        "bounces": {},
    }
    plain = load(_home(tmp_path, text), {}).config
    bare = load(_home(tmp_path, re.sub(r"(?m)^# (\w+ = )", r"\1", text)), {})
    assert bare.config == plain
    assert {origin for name, origin in bare.origins.items() if name != "secret_key"} != {"default"}


def test_overrides_stand_in_the_commented_file(tmp_path: Path) -> None:
    text = commented_toml({"base_url": "https://a.example", "web.https_proxy": True})
    config = load(_home(tmp_path, text), {}).config
    assert (config.base_url, config.https_proxy) == ("https://a.example", True)
