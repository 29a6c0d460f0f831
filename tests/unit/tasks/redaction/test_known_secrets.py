"""The redactor: a secret is found however it is written, and nothing else is touched."""

import base64
import copy
import html
import json
import pickle
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import CampaignError, SettingError
from tasks.redaction import Secret, hide_keys_beside_pictures, hide_keys_in_bytes, hide_secrets, redact
from tasks.redaction.known_secrets import forget_secrets

KEY = "plantedkey-0123456789abcdef"
AWKWARD = "p\"w\\d'é/\u201c&<0123+="

WRITERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": repr,
    "repr of a mapping with both quotes": lambda text: repr({"it's": f'"{text}'}),
    "repr of bytes": lambda text: repr(text.encode()),
    "ASCII": ascii,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON as UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "repr in JSON": lambda text: json.dumps(repr(text)),
    "a part of a URL": lambda text: quote(text, safe=""),
    "a path": quote,
    "a form": quote_plus,
    "small hex": lambda text: re.sub(r"%..", lambda code: code[0].lower(), quote(text, safe="")),
    "HTML": html.escape,
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Basic credentials": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "Basic credentials of a longer name": lambda text: base64.b64encode(f"anna:{text}".encode()).decode(),
    "Base64 of a header": lambda text: base64.b64encode(f"Bearer {text}\r\n".encode()).decode(),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(f"x{text}xx".encode()).decode(),
}


@pytest.mark.parametrize("secret", [KEY, AWKWARD])
@pytest.mark.parametrize("how", WRITERS)
def test_a_secret_is_found_however_it_is_written(how: str, secret: str) -> None:
    """Whole: no part of what was written is left between the words around it."""
    Secret(secret)
    written = WRITERS[how](secret)
    hidden = hide_secrets(f"before {written} after")
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")
    assert "[secret]" in hidden
    assert not any(part in hidden for part in (secret, secret[:6], written[3:12]))


def is_no_word(text: str) -> bool:
    """Whether a secret is looked for wherever it stands."""
    return len(text) >= 16 or not (text.isalpha() or text.isdigit())


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=60).filter(is_no_word),
    before=st.text(st.characters(codec="ascii"), max_size=8),
    how=st.sampled_from(sorted(WRITERS)),
)
def test_no_secret_survives_any_writer(secret: str, before: str, how: str) -> None:
    """Whatever characters it has, and wherever in Base64's groups of three it begins."""
    forget_secrets()
    Secret(secret)
    hidden = hide_secrets(WRITERS[how](before + secret))
    assert secret not in hidden
    assert base64.b64encode(secret.encode()).decode()[:-4] not in hidden


@given(st.text())
def test_without_secrets_a_text_stays_as_it_is(text: str) -> None:
    """Nothing that nobody has called a secret is hidden."""
    forget_secrets()
    assert hide_secrets(text) == text or "://" in text


@pytest.mark.parametrize(
    ("secret", "text", "hidden"),
    [
        ("anything", "anything: Bearer anything", "anything: Bearer [secret]"),
        ("runoff", "runoff run, runoff:runoff@postgres", "runoff run, runoff:[secret]@postgres"),
        ("20261129", "run 20261129-063000-abcd", "run 20261129-063000-abcd"),
        ("k-1234", "k-1234 k-12345", "[secret] k-12345"),
        ("abc", "abc", "abc"),
    ],
)
def test_a_secret_that_may_be_a_word_is_hidden_as_a_word_only(secret: str, text: str, hidden: str) -> None:
    """A key for the emulator, and the password of a test database, must not make other words unreadable."""
    Secret(secret)
    assert hide_secrets(text) == hidden


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("http://me:pw@host/v1", "http://me:[secret]@host/v1"),
        (
            "postgresql+psycopg://me:p%40w:x@host:5432/db?a=b",
            "postgresql+psycopg://me:[secret]@host:5432/db?a=b",
        ),
        ("at http://host:8080/a and mail@host", "at http://host:8080/a and mail@host"),
    ],
)
def test_the_password_of_any_address_is_hidden(address: str, hidden: str) -> None:
    """Also of one that nobody has read as a setting."""
    assert hide_secrets(address) == hidden


def test_a_secret_is_not_shown_by_accident() -> None:
    """Printing, formatting and pickling show or send nothing of it."""
    secret = Secret(KEY)
    shown = f"{secret} {secret!r} {[secret]} {{}}".format(secret)
    assert KEY not in shown
    with pytest.raises(TypeError, match="does not leave its process"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="does not leave its process"):
        copy.deepcopy(secret)
    assert secret.reveal() == KEY
    assert secret == Secret(KEY)
    assert secret != Secret(KEY + "x")


def test_no_error_shows_a_secret() -> None:
    """Neither in its sentence nor in its parts, which Prefect and JSON show."""
    Secret(KEY)
    for error in (
        SettingError(where=KEY, what=f"is {KEY!r}", accepted=KEY, money=KEY, next_step=f"export X={KEY}"),
        CampaignError("campaign.yaml", [f"name: {KEY}"]),
    ):
        assert KEY not in str(error) + repr(error) + repr(vars(error))
        assert KEY not in str(pickle.loads(pickle.dumps(error)))


@pytest.mark.parametrize("n_kept", [6, 12, len(KEY) - 1])
def test_the_beginning_of_a_key_at_the_end_of_a_text_is_hidden(n_kept: int) -> None:
    """An answer that was cut off may end within the key."""
    Secret(KEY)
    assert redact(f"your key {KEY[:n_kept]}") == "your key [secret]"
    assert redact(f"{KEY[:n_kept]} and more") == f"{KEY[:n_kept]} and more"


def test_bytes_change_only_where_a_secret_stands() -> None:
    """A kept answer that is no picture may repeat the key among any bytes."""
    Secret(KEY)
    data = bytes(range(256))
    assert hide_keys_in_bytes(data) is data
    assert hide_keys_in_bytes(data + KEY.encode() + data) == data + b"[secret]" + data


def test_a_picture_beside_a_key_stays_whole() -> None:
    """A key that nobody told of is hidden as a word; Base64 for URLs holds the same letters by chance."""
    picture = base64.urlsafe_b64encode(b"\x00\xb2\x4f\xbe" * 99).decode() + "sk-" + "A" * 400
    body = json.dumps({"b64": picture, "said": "\nsk-other-0123456789abcdef, sk-other-0123456789abcdef"})
    hidden = json.loads(hide_keys_beside_pictures(body))
    assert hidden == {"b64": picture, "said": "\n[secret], [secret]"}


def test_a_long_text_takes_no_long_time() -> None:
    """Runs of Base64 of many megabytes are searched once, not from each of their characters."""
    Secret(KEY)
    text = "QUJD" * 2_500_000
    assert hide_secrets(text) == text
    assert redact("sk-" + "a" * 100_000) == "[secret]"
