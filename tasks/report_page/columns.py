"""The table of the report's columns: name, type, unit and meaning, in order.

The data frame, ``docs/report.md`` and the tests are all generated from this table, so they cannot disagree.
A value that was not measured is null, never 0. A campaign's factors add
their ``factor_<name>`` after ``row_index``, then its variables their ``var_<name>``; a custom scorer adds its
``score_<name>`` after ``score_votes``. To update the table on the page:
``python -m tasks.report_page.columns docs/report.md``.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Dtype = Literal["Int64", "Float64", "string", "boolean", "datetime64[ns, UTC]"]

TABLE_BEGIN = "<!-- The table below is written by `python -m tasks.report_page.columns docs/report.md`. -->"
TABLE_END = "<!-- End of the written table. -->"
STATEMENTS_HEAD = """\
### statements.parquet

Where the campaign has a judge: one row for each picture and each [statement](judging.md) asked about it."""
PEOPLE_HEAD = """\
### people_answers.parquet

Where people answered statements in `runoff review`: one row for each person, picture and statement."""

REMARKS_HEAD = """\
### remarks.parquet

Where people gave pictures labels, stars or comments in `runoff review`: one row for each that stands."""
VOTES_HEAD = """\
### votes.parquet

Where people compared pictures in `runoff review`: one row for each duel, skipped ones included."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the report.

    Args:
        name: Its name, stable from version to version.
        dtype: Its pandas type, always one that can hold null.
        unit: Its unit; empty for text, names and booleans.
        meaning: One sentence.
    """

    name: str
    dtype: Dtype
    unit: str
    meaning: str


COLUMNS: tuple[Column, ...] = (
    Column("run_id", "string", "", "The run, as `YYYYMMDD-HHMMSS-xxxx` in UTC."),
    Column("campaign", "string", "", "The campaign's name."),
    Column("stage", "string", "", "`draft`, `final`, or `judge`: a question to a judging model."),
    Column("arm", "string", "", "The arm under test."),
    Column("row", "Int64", "from 1", "The row of variables that filled the arm's template."),
    Column("row_index", "Int64", "from 0", "The same, as it is in file names."),
    Column("prompt", "string", "", "The text as it was sent."),
    Column("replicate", "Int64", "from 1", "The picture's number within its arm and row."),
    Column("replicate_index", "Int64", "from 0", "The same, as it is in file names."),
    Column("order_id", "string", "", "The paid request (order)."),
    Column("candidate_id", "string", "", "The picture; null if the request returned none."),
    Column(
        "draft_id",
        "string",
        "",
        "For a final, its draft; for a draft of a further round, the picture that it grew from; "
        "for a question, the draft judged or the duel.",
    ),
    Column("further_round", "Int64", "from 1", "The round of `runoff more` that bought it, or its draft."),
    Column("edition", "string", "", "The edition of a final; null if the campaign has only one."),
    Column("provider", "string", "", "Where the request was sent."),
    Column("endpoint", "string", "", "`generations`: from the prompt alone; `edits`: with pictures."),
    Column("model", "string", "", "The vendor's model."),
    Column("quality", "string", "", "The quality that was ordered."),
    Column("size", "string", "px", "The size that was ordered, as `WIDTHxHEIGHT`."),
    Column("requested_format", "string", "", "The file format that was ordered."),
    Column("state", "string", "", "`planned`, `sent`, `received`, `refused`, `failed` or `unknown`."),
    Column("error_code", "string", "", "Why there is no picture, as a code to group by."),
    Column("error_message", "string", "", "The same, as a message from the provider or Runoff."),
    Column("vendor_request_id", "string", "", "The provider's id of the request, for its support."),
    Column("attempts", "Int64", "requests", "How many times the request was sent."),
    Column("sent_at", "datetime64[ns, UTC]", "UTC", "When it was last sent."),
    Column("latency_s", "Float64", "s", "From sending to the complete answer."),
    Column("input_tokens", "Int64", "tokens", "Text and picture tokens sent, as the provider counted them."),
    Column("output_tokens", "Int64", "tokens", "Picture tokens generated, as the provider counted them."),
    Column("estimate_usd", "Float64", "US dollars", "The high end of the estimate, which was reserved."),
    Column("cost_usd", "Float64", "US dollars", "The cost by the provider's usage; null until known."),
    Column("file", "string", "", "The picture file, relative to the run's folder."),
    Column("named_file", "string", "", "For an accepted final, its copy under the name by `files`."),
    Column("sha256", "string", "", "The SHA-256 of the file, in hex."),
    Column("bytes", "Int64", "bytes", "The size of the file."),
    Column("width", "Int64", "px", "The picture's width as decoded."),
    Column("height", "Int64", "px", "The picture's height as decoded."),
    Column("format", "string", "", "The format as decoded."),
    Column("c2pa", "boolean", "", "Whether the file carries Content Credentials."),
    Column("c2pa_issuer", "string", "", "Who signed them; needs `runoff[provenance]`."),
    Column("c2pa_state", "string", "", "`valid`, `invalid` or `trusted`; needs `runoff[provenance]`."),
    Column("alpha_share", "Float64", "0 to 1", "The share of transparent pixels."),
    Column("downgraded", "string", "", "What differs from the request; pictures alike in it are compared."),
    Column("phash", "string", "", "The 64-bit perceptual hash, in hex."),
    Column("dhash", "string", "", "The 64-bit difference hash, in hex."),
    Column("colorhash", "string", "", "The colour hash, in hex."),
    Column("status", "string", "", "`survivor` (a unique image), `duplicate` or `unfit`."),
    Column("duplicate_of", "string", "", "The picture that it duplicates."),
    Column(
        "duplicate_kind",
        "string",
        "",
        "`exact`, `near`, `similar`, `mirrored`, `framed` or `told` (by people); "
        "of a unique image, what it is to another one that stays.",
    ),
    Column("cluster", "string", "", "The representative of its cluster; its own id for a unique image."),
    Column("hash_distance", "Int64", "bits", "The distance between its hash and its representative's."),
    Column("similarity", "Float64", "0 to 1", "To the picture it is most like; 0.75 on is the same."),
    Column("similar_cluster", "string", "", "The best of the pictures that are similar to one another."),
    Column("score_technical", "Float64", "0 to 1", "Technical quality: sharpness, exposure, artefacts."),
    Column("score_judge", "Float64", "0 to 1", "The judging model's score: statements and grade, half each."),
    Column("score_duel", "Float64", "0 to 1", "Its strength within its row, from duels judged by a model."),
    Column("score_legibility", "Float64", "0 to 1", "Whether the expected text can be read."),
    Column("score_palette", "Float64", "0 to 1", "How close the colours are to the palette."),
    Column("score_votes", "Float64", "0 to 1", "Its strength from people's votes."),
    Column("score", "Float64", "0 to 1", "The weighted mean of the scorers that gave a value."),
    Column("panel_score", "Float64", "0 to 1", "The mean of the panel, of the best only; in no total."),
    Column("panel_disagreement", "Float64", "0 to 1", "How often two of them say otherwise of a statement."),
    Column(
        "meets_conditions",
        "boolean",
        "",
        "Whether every statement with `must` is true of it; of a final, what it must keep of its draft.",
    ),
    Column("rank", "Int64", "from 1", "The picture's rank among the unique images."),
    Column("finalist", "boolean", "", "Whether it was chosen to be bought at high quality."),
    Column("chosen_by", "string", "", "`rule`, or the person who chose it."),
    Column("labels", "string", "", "The labels that people gave it, the most frequent first."),
    Column("stars", "Float64", "1 to 5", "The mean of people's stars."),
    Column("comments", "string", "", "People's comments, each after its author's name."),
    Column("fidelity", "Float64", "0 to 1", "For a final, how similar it is to its draft."),
    Column("fidelity_ssim", "Float64", "-1 to 1", "The structural similarity (SSIM) where it is lowest."),
    Column("fidelity_hash_bits", "Int64", "bits", "The distance between the two perceptual hashes."),
    Column("fidelity_palette", "Float64", "0 to 1", "The similarity of their colours where it is lowest."),
    Column("fidelity_zoom", "Float64", "share", "How much larger the final shows things: 0.04 is 4 %."),
    Column("fidelity_shift", "Float64", "share", "How far its middle moved, of the longest edge."),
    Column("fidelity_tone", "Float64", "share", "How far brightness or white balance changed, of the range."),
    Column("fidelity_mirrored", "boolean", "", "Whether the final shows the draft's mirror image."),
    Column("accepted", "boolean", "", "For a final, whether it was accepted."),
    Column("thumbnail", "string", "", "The thumbnail, relative to the run's folder."),
    Column("selection_reason", "string", "", "Why it was chosen or not."),
    Column("score_reason", "string", "", "The reason for its score, in a few words."),
)  # fmt: skip

STATEMENT_COLUMNS: tuple[Column, ...] = (
    Column("candidate_id", "string", "", "The picture."),
    Column("arm", "string", "", "Its arm."),
    Column("row", "Int64", "from 1", "Its row."),
    Column("number", "Int64", "from 1", "The statement's number among those asked about the picture."),
    Column("statement", "string", "", "The statement as it was asked."),
    Column("template", "string", "", "As it is written in the campaign, the same for every row."),
    Column("must", "boolean", "", "Whether it is a condition."),
    Column("is_true", "boolean", "", "The judge's answer; null if there is none that can be read."),
    Column("reason", "string", "", "The judge's reason."),
    Column("chance", "Float64", "0 to 1", "The judge's probability of yes, read as `graded_by` says."),
    Column("graded_by", "string", "", "`log-probabilities`, `one word of five`, `several answers` or null."),
    Column("is_own", "boolean", "", "Whether the judge gave it; else it follows from its parent's."),
)  # fmt: skip
"""The columns of ``statements.parquet``: one row for each judged picture and statement."""
PEOPLE_COLUMNS: tuple[Column, ...] = (
    Column("candidate_id", "string", "", "The picture."),
    Column("arm", "string", "", "Its arm."),
    Column("row", "Int64", "from 1", "Its row."),
    Column("statement", "string", "", "The statement as it was asked."),
    Column("template", "string", "", "As it is written in the campaign; null if it is not asked any more."),
    Column("answered_by", "string", "", "Who answered."),
    Column("answered_at", "datetime64[ns, UTC]", "UTC", "When."),
    Column("answer", "string", "", "`yes`, `no` or `cannot_tell`; each person's last answer."),
    Column("judge_is_true", "boolean", "", "The judge's answer; null if there is none."),
    Column("judge_chance", "Float64", "0 to 1", "Its probability of yes, where answers are graded."),
)  # fmt: skip
"""The columns of ``people_answers.parquet``: one row for each person, picture and statement."""

REMARK_COLUMNS: tuple[Column, ...] = (
    Column("candidate_id", "string", "", "The picture."),
    Column("stage", "string", "", "`draft` or `final`."),
    Column("arm", "string", "", "Its arm."),
    Column("row", "Int64", "from 1", "Its row."),
    Column("kind", "string", "", "`label`, `stars` or `comment`."),
    Column("text", "string", "", "The label, or the comment."),
    Column("stars", "Int64", "1 to 5", "The stars."),
    Column("said_by", "string", "", "Who said it."),
    Column("said_at", "datetime64[ns, UTC]", "UTC", "When."),
)  # fmt: skip
"""The columns of ``remarks.parquet``: one row for each remark that stands."""

VOTE_COLUMNS: tuple[Column, ...] = (
    Column("vote_id", "string", "", "The vote."),
    Column("row", "Int64", "from 1", "The row of both pictures."),
    Column("left_id", "string", "", "The picture that was on the left."),
    Column("right_id", "string", "", "The picture that was on the right."),
    Column("outcome", "string", "", "`left`, `right`, `tie`, `both bad` or `skip`."),
    Column("voter", "string", "", "Who voted."),
    Column("voted_at", "datetime64[ns, UTC]", "UTC", "When."),
)  # fmt: skip
"""The columns of ``votes.parquet``: one row for each duel."""

_NAMES = frozenset(column.name for column in COLUMNS)
_COUNTED = {"row_index": "row", "replicate_index": "replicate"}
"""Columns that count from 0, with those that count from 1; in rows, both are one index from 0."""
VARIABLE, FACTOR = "var_", "factor_"
"""Begins the columns of a campaign's variables."""


def read_cell(name: str, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a value of any column
    """Read a column's value in a report row; people count rows and replicates from 1."""
    if name in _COUNTED:
        return row[_COUNTED[name]]
    value = row[name]
    return value + 1 if name in _COUNTED.values() and value is not None else value


def complete_columns(names: Iterable[str], rows: Sequence[Mapping[str, Any]] = ()) -> tuple[Column, ...]:
    """Return the columns of rows that have these names.

    Args:
        names: The keys of the rows, in their order.
        rows: The rows, by whose values the variables have their types; text without them.

    Returns:
        The table, with a column for each factor and variable after ``row_index``, and one for each custom
        scorer after ``score_votes``.

    Raises:
        ValueError: A column of the table is missing, or a name is none of these.
    """
    given = list(dict.fromkeys(names))
    variables = [name for name in given if name.startswith(VARIABLE)]
    factors = [name for name in given if name.startswith(FACTOR)]
    own = sorted(set(given) - _NAMES - set(variables) - set(factors))
    unknown = [name for name in own if not name.startswith("score_")]
    missing = [name for name in (column.name for column in COLUMNS) if name not in {*given, *_COUNTED}]
    if unknown or missing:
        message = f"report rows lack the columns {missing} and have the unknown columns {unknown}"
        raise ValueError(message)
    added = {
        "row_index": [
            *(Column(name, "string", "", f"The arm's level of `{name[len(FACTOR) :]}`.") for name in factors),
            *(_variable_column(name, [row[name] for row in rows]) for name in variables),
        ],
        "score_votes": [
            Column(name, "Float64", "0 to 1", f"The custom scorer `{name[6:]}`.") for name in own
        ],
    }
    return tuple(each for column in COLUMNS for each in (column, *added.get(column.name, ())))


def _variable_column(name: str, values: Sequence[object]) -> Column:
    """Describe a variable's column: numbers and truths as such if all values are, otherwise text."""
    kinds = {type(value) for value in values if value is not None}
    dtype: Dtype = "string"
    if kinds == {bool}:
        dtype = "boolean"
    elif kinds == {int}:
        dtype = "Int64"
    elif kinds and kinds <= {int, float}:
        dtype = "Float64"
    return Column(name, dtype, "", f"The row's variable `{name.removeprefix(VARIABLE)}`.")


def describe_columns() -> str:
    """Write all tables as Markdown, with their first and last marker line."""
    more = (
        (STATEMENTS_HEAD, STATEMENT_COLUMNS),
        (PEOPLE_HEAD, PEOPLE_COLUMNS),
        (REMARKS_HEAD, REMARK_COLUMNS),
        (VOTES_HEAD, VOTE_COLUMNS),
    )
    others = [part for head, columns in more for part in (head, _table(columns))]
    return "\n\n".join((TABLE_BEGIN, _table(COLUMNS), *others, TABLE_END))


def _table(columns: Iterable[Column]) -> str:
    lines = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| `{c.name}` | {c.dtype} | {c.unit} | {c.meaning} |" for c in columns)])


def replace_table(page: str) -> str:
    """Replace the table between the markers of a Markdown page by the current one.

    Raises:
        ValueError: The page has no markers.
    """
    before, begin, rest = page.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        message = f"the page needs the lines {TABLE_BEGIN!r} and {TABLE_END!r}"
        raise ValueError(message)
    return before + describe_columns() + after


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(replace_table(document.read_text(encoding="utf-8")), encoding="utf-8")
