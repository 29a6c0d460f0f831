"""What people write into a campaign file by mistake, and the one message for each, compared whole.

Every message has the key, its line, the value, what was probably meant, and what is accepted there; the
faults of all layers come together, and none only follows from another.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tasks.campaign import Campaign
from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError
from tests.support.planning import CATALOGUE, PROVIDERS

RIGHT = """\
name: sea-otter
provider: openai
budget: {per_run_usd: 5.0}
variables:
  action: [swimming, asleep]
arms:
  A: {prompt: "otter {{ action }}"}
  B: {prompt: "drawn {{ action }}"}
drafts: {model: gpt-image-2}
finals: {model: gpt-image-2.6-sunburst}
"""
ROWS_OF_CSV = RIGHT.replace("variables:\n  action: [swimming, asleep]\n", "rows: rows.csv\n")

MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text(encoding="utf-8"))
"""Each with what is changed in the right file, into what, and the messages."""

WRONG_ROWS: dict[str, tuple[bytes, list[str]]] = {
    "a column with a hyphen": (
        b"product-name,action\na,b\n",
        [
            "rows (line 4): {folder}/rows.csv:1: the column 'product-name' is no name of a "
            "variable (did you mean product_name?), accepted: letters, digits and _, not a digit "
            "first, at most 64, in the first line",
        ],
    ),
    "a column twice": (
        b"action,action\na,b\n",
        [
            "rows (line 4): {folder}/rows.csv:1: the column action occurs twice, accepted: "
            "another name for each column",
        ],
    ),
    "a column without a name": (
        b"action,,x\na,b,c\n",
        [
            "rows (line 4): {folder}/rows.csv:1: column 2 has no name, accepted: a name in the "
            "first line above every column with values",
        ],
    ),
    "a line with too few values": (
        b"action,light\na\n",
        [
            "rows (line 4): {folder}/rows.csv:2: has 1 value, but the first line has 2 names; "
            "light is missing, accepted: 2 values in every line",
        ],
    ),
    "a line with too many values": (
        b"action\na,b\n",
        [
            "rows (line 4): {folder}/rows.csv:2: has 2 values, but the first line has 1 name, "
            "accepted: quotes around a value with the separator in it",
        ],
    ),
    "a quote that is not closed": (
        b'action\n"a\n',
        [
            "rows (line 4): {folder}/rows.csv:2: a value that begins here with a quote has no "
            'closing quote, accepted: quotes around the whole value; inside it, each twice: ""',
        ],
    ),
    "no line below the names": (
        b"action\n",
        [
            "rows (line 4): {folder}/rows.csv has no rows, accepted: a line of values or more, "
            "below the variables' names",
        ],
    ),
    "Latin-1": (
        b"action\nnage caf\xe9\n",
        [
            "rows (line 4): {folder}/rows.csv:2: is not UTF-8 text (byte 0xe9), accepted: UTF-8: "
            "export it as “CSV UTF-8”, or save it in UTF-8",
        ],
    ),
    "no line of names": (
        b"swimming in the sea,asleep in the kelp\nfoo,bar\n",
        [
            "rows (line 4): {folder}/rows.csv:1: the column 'swimming in the sea' is no name of "
            "a variable (did you mean swimming_in_the_sea?), accepted: letters, digits and _, "
            "not a digit first, at most 64, in the first line",
        ],
    ),
    "a NUL character": (
        b"action\na\x00b\n",
        [
            "rows (line 4): {folder}/rows.csv:2: action holds a NUL character at position 2, accepted: text",
        ],
    ),
    "a name in another case": (
        b"Action\na\n",
        [
            "arms.A.prompt (line 6): names action, which no row defines (did you mean Action?), "
            "accepted: Action",
            "arms.B.prompt (line 7): names action, which no row defines (did you mean Action?), "
            "accepted: Action",
        ],
    ),
}
"""The bytes of a CSV, and the messages."""

READ_RIGHT: dict[str, bytes] = {
    "with a byte order mark, CRLF and semicolons": '\ufeffaction;light\r\n"a\r\nb";c\r\n'.encode(),
    "with blanks around names": b' action , light \n"a\r\nb",c\n',
    "with tabs": b'action\tlight\n"a\r\nb"\tc\n',
    "with empty columns and lines at its end": b'action,light,,\n"a\r\nb",c,,\n,,,\n',
    "in UTF-16": 'action,light\n"a\r\nb",c\n'.encode("utf-16"),
}


def messages(folder: Path, text: str) -> list[str]:
    """Write a campaign beside a picture and a file of text, read it, and return the messages about it."""
    Image.new("RGB", (1024, 1024)).save(folder / "ok.png")
    (folder / "rows.txt").write_text("action\nswimming\n")
    file = folder / "campaign.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, PROVIDERS)
    keys = ", ".join(Campaign.model_fields)
    return [fault.replace(str(folder), "{folder}").replace(keys, "{keys}") for fault in caught.value.faults]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["mistake"])
def test_a_mistake_has_its_one_message(tmp_path: Path, mistake: dict[str, Any]) -> None:
    """Nothing is left out, nothing is said twice, and nothing that only follows."""
    right = mistake.get("right", "")
    assert right in RIGHT
    changed = RIGHT.replace(right, mistake.get("wrong", "")) if right else f"{RIGHT}{mistake.get('wrong')}\n"
    assert messages(tmp_path, mistake.get("whole", changed)) == mistake["messages"]


@pytest.mark.parametrize(("content", "expected"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_mistake_in_a_csv_has_its_one_message(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    """With the line of the CSV."""
    (tmp_path / "rows.csv").write_bytes(content)
    assert messages(tmp_path, ROWS_OF_CSV) == expected


def test_every_wrong_line_of_a_csv_is_told(tmp_path: Path) -> None:
    """Up to twenty of them, so that a long file is corrected in one go."""
    lines = ["action,light", *(f"swimming,noon,{n}" if n % 2 else "asleep" for n in range(50))]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    found = messages(tmp_path, ROWS_OF_CSV)
    assert len(found) == 20
    assert found[0].startswith(
        "rows (line 4): {folder}/rows.csv:2: has 1 value, but the first line has 2 names"
    )
    assert found[1].startswith(
        "rows (line 4): {folder}/rows.csv:3: has 3 values, but the first line has 2 names"
    )


@pytest.mark.parametrize("content", READ_RIGHT.values(), ids=READ_RIGHT)
def test_what_spreadsheets_write_is_read(tmp_path: Path, content: bytes) -> None:
    """A value with a line end in it, under names that are clean."""
    (tmp_path / "rows.csv").write_bytes(content)
    file = tmp_path / "campaign.yaml"
    file.write_text(ROWS_OF_CSV, encoding="utf-8")
    rows = load_campaign(file, CATALOGUE, PROVIDERS).all_rows
    assert rows == ({"action": "a\r\nb", "light": "c"},)
