"""Keys as people paste them: trimmed where that is certain, else refused in one sentence without the key."""

import pytest

from tasks.catalogue.keys import read_key
from tasks.errors import SettingError
from tasks.redaction import Secret

KEY = "sk-planted-0123456789"


@pytest.mark.parametrize(
    "pasted",
    [
        KEY, f" {KEY}\n", f"{KEY} ", f"\ufeff{KEY}\u200b", f"\u00a0{KEY}", f"\u201c{KEY}\u201d",
        f"\u201e{KEY}\u201c",
        f"\u2018{KEY}\u2019", f"{KEY}\u201d", f'"{KEY}"', f"'{KEY}'", f"`{KEY}`",
        f"Bearer {KEY}", f"bearer  {KEY}",
        f"\u201cBearer {KEY}\u201d", f"THE_KEY={KEY}", f"export THE_KEY='{KEY}'", f'" {KEY} "',
    ],
)  # fmt: skip
def test_what_was_pasted_along_is_trimmed(pasted: str) -> None:
    """It cannot be part of a key, so nobody is asked."""
    assert read_key("THE_KEY", {"THE_KEY": pasted}) == Secret(KEY)


@pytest.mark.parametrize(
    ("pasted", "fault"),
    [
        (f"{KEY}\nexport X=1", "has a line end inside, at character 22 of 32"),
        (f"{KEY}\r\n{KEY}", "has a line end inside"),
        (f"{KEY} and more", "has a blank inside"),
        ("sk\u2011planted", "has a character that cannot be sent, at character 3 of 10: NON-BREAKING HYPHEN"),
        ("sk-pla\u2026ted", "has a character that cannot be sent, at character 7 of 10: HORIZONTAL ELLIPSIS"),
        ("sk-pla\x00nted", "has a character that cannot be sent, at character 7 of 11: U+0000"),
        (f'{KEY}"', "has a quote at one end only"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_showing_it(pasted: str, fault: str) -> None:
    """In a sentence that names the variable and the place, and says that nothing was bought."""
    with pytest.raises(SettingError) as caught:
        read_key("THE_KEY", {"THE_KEY": pasted})
    message = str(caught.value)
    assert message.startswith(f"THE_KEY: the key in this environment variable {fault}")
    assert "Nothing was bought." in message
    assert message.endswith("export THE_KEY=…")
    assert not any(part in message for part in ("planted", "export X", "0123"))


@pytest.mark.parametrize("environ", [{}, {"THE_KEY": ""}, {"THE_KEY": " \n"}, {"THE_KEY": "\u201c\u201d"}])
def test_an_empty_variable_is_no_key(environ: dict[str, str]) -> None:
    """Whoever needs one says so."""
    assert read_key("THE_KEY", environ) is None
