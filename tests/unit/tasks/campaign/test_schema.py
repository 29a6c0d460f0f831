"""What is generated from the campaign's models is current, and every key is explained."""

from pathlib import Path

import pytest

from tasks.campaign import schema
from tasks.campaign.section import Section


def sections() -> list[type[Section]]:
    """List the parts of the campaign file."""
    return [model for _, model in schema.SECTIONS]


@pytest.mark.parametrize("file", schema.generated_files(), ids=lambda file: file.name)
def test_the_generated_file_is_current(file: Path) -> None:
    """Write it again with: python -m tasks.campaign.schema."""
    assert file.read_text(encoding="utf-8") == schema.generated_files()[file]


@pytest.mark.parametrize("model", sections(), ids=lambda model: model.__name__)
def test_every_key_has_a_sentence(model: type[Section]) -> None:
    """Editors and the page show it."""
    meanings = model.meanings()
    assert list(meanings) == list(model.model_fields)
    for name, meaning in meanings.items():
        assert meaning.rstrip().endswith("."), name


def test_no_part_of_the_file_is_left_out() -> None:
    """Each model that a campaign is made of stands on the page."""
    bases = {"Section", "PictureSettings"}
    known: set[str] = set()
    waiting: list[type[Section]] = [Section]
    while waiting:
        model = waiting.pop()
        known.add(model.__name__)
        waiting.extend(model.__subclasses__())
    assert known - bases == {model.__name__ for model in sections()}


def test_the_check_tells_stale_from_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stale: 1 and nothing written; without the check it is written; then current: 0."""
    file = tmp_path / "page.md"
    monkeypatch.setattr(schema, "generated_files", lambda: {file: "new"})
    assert schema.main(["--check"]) == 1
    assert not file.exists()
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    assert file.read_text(encoding="utf-8") == "new"
