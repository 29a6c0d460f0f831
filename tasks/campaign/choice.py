"""The campaign file's ``deduplicate``, ``score`` and ``finalists``."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from tasks.campaign.section import Section
from tasks.limits import MOST_WEIGHT


class Deduplicate(Section):
    """What counts as a duplicate."""

    level: Literal["exact", "near", "similar"] = "near"
    """`exact`: the same bytes; `near`: the same picture to the eye; `similar`: the same composition too."""

    min_similarity: float | None = Field(default=None, gt=0, le=1)
    """The similarity from which on pictures are duplicates, instead of the level's: `near` is 0.75."""

    fold_mirrored: bool = False
    """Whether a mirrored or turned copy is a duplicate; it is found in any case."""

    fold_framed: bool = False
    """Whether a copy with a border round it is a duplicate; it is found in any case."""

    hash: Literal["phash", "dhash"] = "phash"
    """The perceptual hash whose bits are compared."""

    radius_bits: int | None = Field(default=None, ge=0, le=16)
    """Compare hashes instead of pictures; duplicates differ in at most this many of 64 bits."""

    within: Literal["prompt", "arm", "campaign"] = "prompt"
    """Which pictures are compared: those of one arm and row (`prompt`), of one arm, or of the whole run."""

    history_runs: int = Field(default=0, ge=0)
    """How many earlier runs of this campaign are searched for duplicates too."""

    @model_validator(mode="after")
    def _compares_one_way(self) -> "Deduplicate":
        by_look = self.min_similarity is not None or self.fold_mirrored or self.fold_framed
        if self.radius_bits is not None and by_look:
            message = (
                "either radius_bits, or min_similarity, fold_mirrored and fold_framed: a hash knows none"
            )
            raise ValueError(message)
        return self


COLOUR = re.compile("#[0-9A-Fa-f]{6}")
JUDGING_MODEL = "gpt-6-luna"
DEFAULT_COUNT = 4


StatementKind = Literal["object", "count", "attribute", "relation", "text", "style", "absent"]


class Statement(Section):
    """A statement that the judge answers, with what follows from the answer."""

    statement: str = Field(min_length=1)
    """One sentence that is true of a good picture, as a template over the row's variables."""

    must: bool = False
    """Whether the rule never chooses a picture of which it is not true, or not answered."""

    per_arm: bool = False
    """Whether it may name `{{ arm }}` and its `{{ prompt }}`; otherwise all arms are asked the same."""

    depends_on: str | None = Field(default=None, min_length=1)
    """An earlier statement, as it is written there: where that one is not true, this one is not either."""

    kind: StatementKind | None = None
    """What it is about, for people."""


def _kind(value: object) -> str:
    return "[text]" if isinstance(value, str) else "[described]"


AnyStatement = Annotated[
    Annotated[str, Tag("[text]")] | Annotated[Statement, Tag("[described]")], Discriminator(_kind)
]


class Judge(Section):
    """A vision model that scores each picture by a rubric."""

    model: str = JUDGING_MODEL
    """The judging model's id in the catalogue."""

    provider: str | None = None
    """Where it is asked: a name in providers.yaml. Default: the campaign's provider."""

    rubric: tuple[AnyStatement, ...] = ()
    """Statements that are true of a good picture, as templates; a row's own, in its `rubric`, are added."""

    answers: Literal["yes_no", "graded"] = "yes_no"
    """How a statement is answered: `yes_no`, or `graded` by how sure the model is of a yes."""

    samples: int = Field(default=1, ge=1, le=9)
    """For a model without log-probabilities: from 2 on, each picture is asked about this often, and the
    answers are averaged; 1 asks for one word of five instead."""

    sees: tuple[Literal["references", "mask"], ...] = ()
    """What the judge sees beside a picture: the `references`, the `mask`, or both, that its draft was made
    with."""

    questions: Literal["from_brief"] | None = None
    """`from_brief`: a model writes each row's statements once; they are kept in `questions.yaml`."""

    brief: str | None = Field(default=None, min_length=1)
    """What a picture shall show, as a template over the row. Default: what all arms' prompts share."""

    statements_by_brief: dict[str, tuple[Statement, ...]] = Field(default={})
    """The statements of each brief, as a run keeps them; read from `questions.yaml`."""

    @model_validator(mode="after")
    def _depends_on_what_comes_before(self) -> "Judge":
        earlier: list[str] = []
        for one in self.statements:
            if one.depends_on is not None and one.depends_on not in earlier:
                message = f"{one.statement!r} depends on {one.depends_on!r}, which is no statement before it"
                raise ValueError(message)
            earlier.append(one.statement)
        if self.samples > 1 and self.answers != "graded":
            message = "samples are averaged only with `answers: graded`"
            raise ValueError(message)
        if self.brief is not None and self.questions is None:
            message = "a brief is used only with `questions: from_brief`"
            raise ValueError(message)
        return self

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements, each with what follows from its answer."""
        return tuple(one if isinstance(one, Statement) else Statement(statement=one) for one in self.rubric)


class Duel(Section):
    """A vision model that compares two pictures of the same row."""

    model: str = JUDGING_MODEL
    """The judging model's id in the catalogue."""

    provider: str | None = None
    """Where it is asked: a name in providers.yaml. Default: the campaign's provider."""

    rubric: tuple[str, ...] = ()
    """Statements that are true of a good picture, as templates; without any, the whole is compared."""

    per_row: int = Field(default=12, ge=1, le=1000)
    """The most pairs compared in a row; each pair is two requests, one in each order."""


class PanelJudge(Section):
    """A further judge: another model, or the same one at another provider."""

    model: str
    """The judging model's id in the catalogue."""

    provider: str | None = None
    """Where it is asked: a name in providers.yaml. Default: the campaign's provider."""


class Panel(Section):
    """Further judges, asked about the best pictures only; they choose finalists, and compare no arms."""

    judges: tuple[PanelJudge, ...] = Field(min_length=1, max_length=5)
    """Who is asked what `judge` is asked; its own answer counts as one of the panel's."""

    best: int = Field(default=12, ge=1, le=1000)
    """About how many of the best pictures they are asked."""


def _colour(text: str) -> str:
    if not COLOUR.fullmatch(text):
        message = 'red, green and blue as "#RRGGBB"'
        raise ValueError(message)
    return text


Colour = Annotated[str, AfterValidator(_colour), Field(json_schema_extra={"pattern": f"^{COLOUR.pattern}$"})]


class Palette(Section):
    """The brand colours that pictures should keep to."""

    colors: tuple[Colour, ...] = Field(max_length=32)
    """The brand's colours as `"#RRGGBB"`, including neutral ones (in quotes, because # starts a comment)."""


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=MOST_WEIGHT, allow_inf_nan=False)]


class CopySpace(Section):
    """Where lettering will stand, in shares of the picture's width and height."""

    left: Share
    """The box's left edge, 0 to 1."""

    top: Share
    """Its upper edge, 0 to 1."""

    width: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)]
    """Its width, 0.01 to 1."""

    height: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)]
    """Its height, 0.01 to 1."""

    @model_validator(mode="after")
    def _is_inside(self) -> "CopySpace":
        if self.left + self.width > 1 + 1e-9 or self.top + self.height > 1 + 1e-9:
            message = "reaches beyond the picture: left + width and top + height are at most 1"
            raise ValueError(message)
        return self


class Clip(Section):
    """A CLIP model that measures how well a picture matches its prompt."""

    model: str = "ViT-B-32"
    """The model's architecture: a name known to open_clip, or a JSON file, relative to this file."""

    weights: str
    """The file with the model's weights, relative to this file; nothing is downloaded."""


def _texts(value: object) -> str:
    return "[text]" if isinstance(value, str) else "[several]"


AnyTexts = Annotated[
    Annotated[str, Tag("[text]")] | Annotated[tuple[str, ...], Tag("[several]")], Discriminator(_texts)
]


class Score(Section):
    """How pictures are ranked."""

    weights: dict[str, Weight] = Field(default={"technical": 1.0})
    """The weight of each scorer, by name."""

    judge: Judge | None = None
    """The settings of the scorer `judge`."""

    duel: Duel | None = None
    """The settings of the scorer `duel`."""

    panel: Panel | None = None
    """Further judges of the best pictures, by whom finalists are chosen."""

    max_share: float | None = Field(default=None, gt=0, le=100, allow_inf_nan=False)
    """The most that judging drafts may cost, as a share of what the drafts cost: 0.5 is half of it."""

    expect_text: AnyTexts | None = None
    """The text that `legibility` expects, as a template, or several. Default: the row's `expect_text`."""

    expect_accents: bool = True
    """Whether accents count as spelling: GROSSE is not GRÖSSE."""

    expect_text_must: bool = False
    """Whether the rule never chooses a picture whose text is not spelt as expected, or cannot be checked."""

    @property
    def expected_templates(self) -> tuple[str, ...]:
        """The templates of the texts that are expected; empty where the rows have them."""
        wanted = self.expect_text
        return () if wanted is None else (wanted,) if isinstance(wanted, str) else wanted

    @property
    def asked_models(self) -> "tuple[Judge | Duel | PanelJudge, ...]":
        """Every judging model that is asked, and where."""
        asked: list[Judge | Duel | PanelJudge] = []
        if self.judge is not None and "judge" in self.weights:
            asked += [self.judge, *(self.panel.judges if self.panel else ())]
        if self.duel is not None and "duel" in self.weights:
            asked.append(self.duel)
        return tuple(asked)

    palette: Palette | None = None
    """The settings of the scorer `palette`."""

    copy_space: CopySpace | None = None
    """The settings of the scorer `copy_space`."""

    clip: Clip | None = None
    """The settings of the scorer `clip`."""


class Finalists(Section):
    """Which drafts are bought again."""

    count: int | None = Field(default=None, ge=0, le=1000)
    """The most finalists; 0 makes drafts only. Default: 4, or what `per_row` and `per` allow."""

    per_row: int | None = Field(default=None, ge=1)
    """The most finalists of one row, whichever arm: 1 chooses the best picture of every row."""

    per: dict[str, Annotated[int, Field(ge=1)]] = Field(default={})
    """The most finalists of the rows that share a value of a variable: `{category: 2}` is two a category."""

    max_per_arm: int | None = Field(default=None, ge=1)
    """The most finalists of one arm."""

    max_per_prompt: int | None = Field(default=None, ge=1)
    """The most finalists of one arm and row."""

    from_: Literal["all", "winner"] = Field(default="all", alias="from")
    """`winner`: only the arm that won, in a row's segment if `ab_test.segments` has it; all if none did."""

    min_score: float | None = Field(default=None, ge=0, le=1)
    """The lowest total score of a finalist, 0 to 1."""

    allow_similar: bool = False
    """Whether two similar pictures of one arm and row may both be finalists."""

    approval: Literal["auto", "review", "prefect"] = "review"
    """`auto` buys them within the run; `review` waits for a person, who runs `runoff promote` or uses
    `runoff review`; `prefect` also lets a person answer in Prefect's UI."""

    decide_within: str | None = None
    """How long a person has to decide, such as 72h or 3d. Default: for ever."""

    then: Literal["decline", "auto"] = "decline"
    """What happens when nobody decided in time: `decline` buys none, `auto` buys the finalists."""

    @property
    def most(self) -> int | None:
        """The most finalists of a run; ``None`` where only groups of rows limit them."""
        if self.count is not None or self.per_row is not None or self.per:
            return self.count
        return DEFAULT_COUNT
