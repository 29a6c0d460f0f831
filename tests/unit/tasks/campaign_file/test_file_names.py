"""The campaign's own names for finals: each can be made, is safe on every file system, and is unique."""

from pathlib import Path
from typing import Any

import pytest

from tasks.campaign.file_names import FileNames, is_safe
from tests.support.campaign_files import changed, faults, load

ROWS = [{"sku": "A-1", "action": "x"}, {"sku": "a-2", "action": "y"}]


def with_files(files: str, rows: list[dict[str, Any]] = ROWS, **more: Any) -> dict[str, Any]:
    """Write a campaign with two arms, two rows and its own file names."""
    arms = {"A": {"prompt": "otter {{ action }}"}, "B": {"prompt": "drawn {{ action }}"}}
    return changed("files", files) | {"variables": None, "rows": rows, "arms": arms} | more


@pytest.mark.parametrize(
    "files",
    ["{{ sku }}-{{ arm }}-{{ replicate }}", "{{ campaign }} {{ row }} ({{ arm }}, {{ replicate }})"],
)
def test_names_over_the_row_and_the_place_are_accepted(tmp_path: Path, files: str) -> None:
    """Rows and replicates count from 1."""
    names = FileNames(load(tmp_path, with_files(files)))
    assert names.name_of("B", 0, 2).startswith(("A-1-B-3", "sea-otter 1 (B, 3)"))


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ("{{ sku }}-{{ arm }}", "arm A, row 1, replicate 2 and arm A, row 1, replicate 1 have the same name"),
        (
            "{{ arm }}-{{ replicate }}",
            "arm A, row 2, replicate 1 and arm A, row 1, replicate 1 have",
        ),
        ("{{ sku }}/{{ arm }}-{{ replicate }}", "'A-1/A-1' is no file's name"),
        ("../{{ sku }}{{ arm }}{{ replicate }}", "is no file's name"),
        ("{{ size }}", "names size, which no row defines, accepted: campaign, arm, row, replicate, edition"),
        ("{{ sku", "is not a valid template"),
        ("{% if row == 2 %}x{% endif %}", "arm A, row 1, replicate 1: "),
    ],
)
def test_names_that_cannot_be_files_are_refused(tmp_path: Path, files: str, what: str) -> None:
    """Before anything is bought."""
    (fault,) = faults(tmp_path, with_files(files))
    assert fault.startswith("files (line")
    assert what in fault


def test_names_that_differ_in_case_alone_are_one(tmp_path: Path) -> None:
    """Some file systems take them for the same."""
    rows = [{"sku": "a", "action": "x"}, {"sku": "A", "action": "y"}]
    (fault,) = faults(tmp_path, with_files("{{ sku }}-{{ arm }}-{{ replicate }}", rows))
    assert "have the same name" in fault


@pytest.mark.parametrize("name", ["a", "Ä 1", "2026.01 (x), y", "a_b-c", "x" * 150])
def test_safe_names(name: str) -> None:
    """Letters of any script, and signs that no shell or file system minds."""
    assert is_safe(name)


@pytest.mark.parametrize(
    "name", ["", ".a", "a.", "a ", "a/b", "a\\b", "a:b", "con", "COM1", "x" * 151, "a\n", "-a"]
)
def test_unsafe_names(name: str) -> None:
    """Hidden files, folders, devices, options."""
    assert not is_safe(name)
