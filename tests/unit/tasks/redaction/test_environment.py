"""The secrets of an environment: names that say so, and passwords inside addresses."""

import pytest

from tasks.redaction import hide_secrets, learn_environment
from tasks.settings import Settings

HIDDEN = {
    "SOME_API_KEY": ("0123456789-key", "0123456789-key"),
    "COMETKEY_OF_MINE_APIKEY": ("0123456789-key", "0123456789-key"),
    "AWS_SECRET_ACCESS_KEY": ("0123456789/key+", "0123456789/key+"),
    "GITHUB_TOKEN": ("ghp_0123456789", "ghp_0123456789"),
    "PGPASSWORD": ("hunter2-hunter2", "hunter2-hunter2"),
    "PREFECT_API_AUTH_STRING": ("admin:hunter2-hunter2", "hunter2-hunter2"),
    "PREFECT_SERVER_API_AUTH_STRING": ("admin:hunter2-hunter2", "admin:hunter2-hunter2"),
    "PREFECT_CLIENT_CUSTOM_HEADERS": ('{"X-Access": "hunter2-hunter2"}', "hunter2-hunter2"),
    "OTEL_EXPORTER_OTLP_HEADERS": ("x-team=us,authorization=Basic%20hunter2-hunter2", "hunter2-hunter2"),
    "OPENAI_CUSTOM_HEADERS": ("X-Access: hunter2-hunter2\nX-Team: us", "hunter2-hunter2"),
    "PREFECT_API_URL": ("http://me:hunter2-hunter2@host/api", "hunter2-hunter2"),
    "RUNOFF_LEDGER_URL": ("postgresql://me:p%40ss-word1@host/db", "p@ss-word1"),
    "HTTPS_PROXY": ("http://0123456789token@proxy:8080", "0123456789token"),
    "GATEWAY": ("https://host/v1?api-version=3&sig=0123456789abc", "0123456789abc"),
    "BASE_URL": ("http://me:pass/word-1@host/v1", "pass/word-1"),
    "TWO_LINES_KEY": ("0123456789-key\nexport X=1", "0123456789-key"),
}
SHOWN = {
    "GOOGLE_APPLICATION_CREDENTIALS": "/etc/credentials.json",
    "MONKEY": "capuchin-monkeys",
    "RUNOFF_REVIEW_TOKEN": "0123456789-token",
    "RUNOFF_HOME": "https://host/runs?api-version=2026-11-22",
    "SHORT_KEY": "abc",
    "BROKEN": "http://[::1",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_secret_of_the_environment_is_known(name: str) -> None:
    """From the moment that the environment is read."""
    value, secret = HIDDEN[name]
    learn_environment({name: value})
    assert hide_secrets(f"is {secret}!") == "is [secret]!"


@pytest.mark.parametrize("name", SHOWN)
def test_what_only_looks_like_a_secret_is_shown(name: str) -> None:
    """Paths, words that end in key, and what people need to see."""
    learn_environment({name: SHOWN[name]})
    assert hide_secrets(SHOWN[name]) == SHOWN[name]


def test_who_makes_settings_makes_their_secrets_known() -> None:
    """So no door can forget it; and the settings themselves show none."""
    settings = Settings.of(None, {"SOME_API_KEY": "0123456789-key"})
    assert hide_secrets("0123456789-key") == "[secret]"
    assert "0123456789" not in repr(settings)
