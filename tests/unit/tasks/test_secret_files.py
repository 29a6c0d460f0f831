"""Secrets in files: what counts as one, what is read, and what is refused with its reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import SettingError
from tasks.secret_files import with_secret_files
from tasks.settings import Settings

ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.mark.parametrize(
    "name",
    ["OPENAI_API_KEY", "GATEWAY_KEY", "RUNOFF_LEDGER_URL", "RUNOFF_REVIEW_TOKEN", "PGPASSWORD",
     "AWS_SECRET_ACCESS_KEY", "PREFECT_API_AUTH_STRING"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_without_the_end_of_its_line(tmp_path: Path, name: str, end: str) -> None:
    """And only that is cut off: a secret may end in a space."""
    file = tmp_path / "secret"
    file.write_bytes(f"s3cret {end}".encode())
    assert with_secret_files({f"{name}_FILE": str(file)})[name] == "s3cret "
    assert Settings.of(tmp_path, {f"{name}_FILE": str(file)}).environ[name] == "s3cret "


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "LOG_FILE", "_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"])
def test_a_file_of_something_else_is_left_alone(variable: str) -> None:
    """Also where it is not there, and one that a library reads itself."""
    environ = {variable: "/nowhere", "OPENAI_API_KEY_FILE": ""}
    assert with_secret_files(environ) == environ


def test_a_variable_may_say_the_same_but_nothing_else(tmp_path: Path) -> None:
    """A child process finds both."""
    file = tmp_path / "key"
    file.write_text("sk-one")
    environ = {"OPENAI_API_KEY_FILE": str(file), "OPENAI_API_KEY": ""}
    assert with_secret_files(with_secret_files(environ))["OPENAI_API_KEY"] == "sk-one"
    with pytest.raises(SettingError, match="OPENAI_API_KEY is set as well, to something else") as caught:
        with_secret_files(environ | {"OPENAI_API_KEY": "sk-two"})
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "empty", "binary", "folder", "pipe"])
def test_a_file_that_holds_no_secret_is_an_error_with_its_reason(tmp_path: Path, kind: str) -> None:
    """Nothing is waited for, and nothing was bought."""
    file = tmp_path / kind
    if kind in ("empty", "binary"):
        file.write_bytes(b"\n" if kind == "empty" else b"\xff\xfe\x00")
    elif kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    with pytest.raises(SettingError, match=r"OPENAI_API_KEY_FILE=.*Nothing was bought"):
        with_secret_files({"OPENAI_API_KEY_FILE": str(file)})


def test_a_secret_that_the_images_entry_point_filled_is_read_anew(tmp_path: Path) -> None:
    """A key that is replaced in its file is the next run's, in a container too."""
    (tmp_path / "key").write_text("sk-the-old-one")
    words = [sys.executable, "-m", "runoff.with_secrets", sys.executable, "-c", ENVIRONMENT]
    given = {"PATH": os.environ["PATH"], "OPENAI_API_KEY_FILE": str(tmp_path / "key")}
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=True)
    environ = json.loads(done.stdout)
    assert environ["OPENAI_API_KEY"] == "sk-the-old-one"
    (tmp_path / "key").write_text("sk-the-new-one")
    assert with_secret_files(environ)["OPENAI_API_KEY"] == "sk-the-new-one"
