"""A home whose path Prefect's server cannot use."""

from pathlib import Path

import pytest

from flows.engine import start_engine
from tasks.errors import SettingError


def test_a_question_mark_in_the_path_is_refused_before_a_server_starts(tmp_path: Path) -> None:
    """The address of its database would end there, and the database lie beside the home."""
    home = tmp_path / "what?" / "home"
    with pytest.raises(
        SettingError, match=r"has a \? in its path.*--home or RUNOFF_HOME, or set PREFECT_API_URL"
    ):
        start_engine(home, print)
    assert [path.name for path in tmp_path.iterdir()] == ["what?"]
