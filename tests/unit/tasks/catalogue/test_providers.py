"""Providers: addresses, keys, waits and prices."""

from decimal import Decimal
from pathlib import Path

import pytest

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import RATE_VARIABLE, load_providers
from tasks.errors import CatalogueError, SettingError
from tasks.order import Usage
from tasks.redaction import Secret

CATALOGUE = load_catalogue(environ={})
PROVIDERS = load_providers()
KEY = "sk-planted-0123456789"


@pytest.mark.parametrize(
    ("name", "variable", "url"),
    [
        ("openai", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
        ("cometapi", "COMETAPI_BASE_URL", "https://api.cometapi.com/v1"),
        ("emulator", "RUNOFF_EMULATOR_URL", None),
    ],
)
def test_the_variable_names_another_address(name: str, variable: str, url: str | None) -> None:
    """Without the variable the file's address counts; an empty one is as good as none."""
    provider = PROVIDERS.provider(name)
    assert provider.base_url_now({}) == url
    assert provider.base_url_now({variable: " "}) == url
    assert provider.base_url_now({variable: "http://127.0.0.1:8000/v1/"}) == "http://127.0.0.1:8000/v1"


def test_an_address_without_http_is_refused() -> None:
    """The message names the variable it came from."""
    with pytest.raises(SettingError, match="OPENAI_BASE_URL: 'localhost:8000' is not a URL"):
        PROVIDERS.provider("openai").base_url_now({"OPENAI_BASE_URL": "localhost:8000"})


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a b/v1", "http://h:99999/v1", "ftp://h/v1"]
)
def test_an_address_that_leads_nowhere_is_refused(url: str) -> None:
    """It is an error before a run starts, not a traceback when connecting."""
    with pytest.raises(SettingError, match="is not a URL"):
        PROVIDERS.provider("openai").base_url_now({"OPENAI_BASE_URL": url})


@pytest.mark.parametrize(
    "url", ["http://me:planted/word-1@h/v1", "ftp://me:planted-word1@h", "http://me:planted word1@h"]
)
def test_an_address_that_is_refused_does_not_show_its_password(url: str) -> None:
    """Whatever makes it unusable, such as a slash in the password."""
    with pytest.raises(SettingError, match="is not a URL") as caught:
        PROVIDERS.provider("openai").base_url_now({"OPENAI_BASE_URL": url})
    assert "planted" not in str(caught.value)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(("name", "variable"), [("openai", "OPENAI_API_KEY"), ("cometapi", "COMETAPI_KEY")])
def test_a_key_comes_from_its_variable_only(name: str, variable: str) -> None:
    """Set, empty and missing are told apart, and no provider shows a key."""
    provider = PROVIDERS.provider(name)
    assert provider.api_key({variable: f" {KEY}\n"}) == Secret(KEY)
    with pytest.raises(SettingError, match=f"{variable}, which is not set"):
        provider.api_key({"SOME_OTHER_KEY": KEY})
    with pytest.raises(SettingError, match=f"{variable}, which is empty") as caught:
        provider.api_key({variable: ""})
    assert KEY not in repr(provider) + str(caught.value)


def test_the_emulator_needs_no_key() -> None:
    """Nothing has to be set to try."""
    assert PROVIDERS.provider("emulator").api_key({}) is None


@pytest.mark.parametrize(
    ("quality", "size", "seconds"),
    [
        ("low", "1024x1024", 300), ("medium", "1536x1024", 600), ("high", "1024x1024", 900),
        ("xhigh", "1024x1024", 1200), ("max", "1024x1024", 1200), ("low", "2560x1440", 300),
        ("low", "3840x2160", 1200), ("unheard", "1024x1024", 1200),
    ],
)  # fmt: skip
def test_the_wait_follows_quality_and_size(quality: str, size: str, seconds: float) -> None:
    """What takes the vendor longer is waited for longer; what is not known, longest."""
    assert PROVIDERS.provider("openai").read_timeout_s({"quality": quality, "size": size}) == seconds


def test_cometapi_sells_at_its_own_prices() -> None:
    """Its published input and output prices count, not the vendor's."""
    model = CATALOGUE.model("gpt-image-2")
    usage = Usage(1_000_000, 0, 1_000_000)
    assert model.cost_usd(usage, provider=PROVIDERS.provider("cometapi")) == Decimal("28")
    assert model.cost_usd(usage, provider=PROVIDERS.provider("openai")) == Decimal("35")
    older = CATALOGUE.model("gpt-image-1.5")
    assert older.cost_usd(usage, provider=PROVIDERS.provider("cometapi")) == Decimal("32")


def test_a_model_without_a_price_there_is_refused_with_the_way_out() -> None:
    """Nobody has published it, so nobody guesses it."""
    with pytest.raises(CatalogueError, match=r"gpt-image-2\.6-flare at cometapi") as caught:
        PROVIDERS.provider("cometapi").prices_of(CATALOGUE.model("gpt-image-2.6-flare"))
    assert "providers.cometapi.prices.gpt-image-2.6-flare" in caught.value.next_step


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    """The message lists names and says where to add one."""
    with pytest.raises(SettingError, match="openai, cometapi, emulator"):
        PROVIDERS.provider("opena")


USER_FILE = """
providers:
  openai: {images_per_minute: 250}
  mine: {base_url: "https://images.example.org/v1", key_variable: MY_KEY, capabilities: {edits: false}}
"""


def test_a_users_file_adds_providers_and_replaces_limits(tmp_path: Path) -> None:
    """Only what the file says changes."""
    (tmp_path / "providers.yaml").write_text(USER_FILE, encoding="utf-8")
    providers = load_providers(tmp_path)
    assert providers.provider("openai").images_per_minute == 250
    assert providers.provider("openai").key_variable == "OPENAI_API_KEY"
    assert providers.provider("mine").images_per_minute == 5
    assert not providers.provider("mine").capabilities.edits


@pytest.mark.parametrize(("value", "rate"), [("", "auto"), ("250", 250), ("auto", "auto")])
def test_the_variable_comes_before_the_file(value: str, rate: int | str) -> None:
    """Whoever knows the account's limit need not edit a file; plans count with it too."""
    assert load_providers(environ={RATE_VARIABLE: value}).provider("openai").images_per_minute == rate


@pytest.mark.parametrize("value", ["many", "0", "-5", "0.5"])
def test_a_rate_that_is_not_a_number_is_an_error(value: str) -> None:
    """With the variable's name and what it takes."""
    with pytest.raises(SettingError, match=rf"{RATE_VARIABLE}: is '{value}'.*a whole number, 1 or more"):
        load_providers(environ={RATE_VARIABLE: value})


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        ("providers: {openai: {images_per_minute: 0}}", SettingError, "images_per_minute"),
        ("providers: {openai: {api_key: sk-1}}", SettingError, "api_key: Extra inputs are not permitted"),
        ("providers: {x: 1}", SettingError, "providers.x"),
        ("nothing: 1", CatalogueError, "is missing the mapping 'providers'"),
    ],
)
def test_a_wrong_provider_is_refused(
    tmp_path: Path, text: str, error: type[Exception], expected: str
) -> None:
    """A key in the file, for one, is an unknown field."""
    (tmp_path / "providers.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=expected):
        load_providers(tmp_path)
