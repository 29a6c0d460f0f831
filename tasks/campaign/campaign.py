"""The campaign's model: what to make, which arms, how many, for how much money, and how to choose.

These models are the campaign file, key for key; the docstrings of the fields are used in the JSON schema and
in the reference page. A campaign is immutable: its rows are expanded and its paths absolute when it is read,
so that the run can store a complete copy (``as_yaml``).
"""

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from tasks.campaign.choice import Deduplicate, Finalists, Score
from tasks.campaign.factors import AddedRound, Factors, with_made_arms
from tasks.campaign.finals import AnyFinals, Finals
from tasks.campaign.mask import AnyMask, Mask
from tasks.campaign.pictures import Arm, Drafts
from tasks.campaign.retention import Retention
from tasks.campaign.review import Review
from tasks.campaign.rounds import Pass, Round, added_round_of, passes_of, plan_rounds
from tasks.campaign.row_value import Scalar, Value
from tasks.campaign.schedule import Schedule
from tasks.campaign.section import Dollars, Section
from tasks.campaign.verdict import AbTest, Verdict
from tasks.limits import ARMS
from tasks.marked_yaml import write_yaml

Row = Mapping[str, Scalar]
ArmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
VariableName = Annotated[str, Field(pattern=VARIABLE_PATTERN)]


class Budget(Section):
    """How much money may be spent."""

    per_run_usd: Dollars
    """The most that one run may spend, in US dollars: drafts and finals, including what is reserved."""

    per_month_usd: Dollars | None = None
    """The most that all runs of this campaign may spend in a calendar month (UTC), in US dollars."""

    further_usd: Dollars | None = None
    """The most that drafts of `runoff more` may cost in one run, within `per_run_usd`, in US dollars."""


class Campaign(Section):
    """A campaign file: make many cheap pictures, pick the best few, buy only those at high quality."""

    name: str = Field(pattern=NAME_PATTERN)
    """The campaign's name: lower-case letters, digits and hyphens, at most 64."""

    provider: str
    """The provider: a name in providers.yaml, such as openai, cometapi or emulator; arms may have others."""

    budget: Budget
    """How much money may be spent."""

    variables: dict[VariableName, Annotated[tuple[Value, ...], Field(min_length=1)]] | None = None
    """Values by variable; every combination is one row. Cannot be combined with `rows`."""

    rows: tuple[dict[VariableName, Value], ...] | str | None = None
    """The rows themselves: a list of mappings; a CSV, JSON lines or parquet file; or a folder of pictures."""

    arms: dict[ArmName, Arm] = Field(min_length=1, max_length=ARMS)
    """The variants under test, by name; every arm uses the same rows. `factors` makes more of them."""

    factors: Factors | None = None
    """What is varied by design instead of, or beside, `arms`: every combination of levels is an arm."""

    references: tuple[str, ...] = ()
    """Pictures sent with every draft: png, jpeg or webp; `products/{{ file }}` is a different one per row."""

    mask: AnyMask | None = None
    """What to inpaint in the first reference: a png of its size, transparent there, or how to draw one."""

    drafts: Drafts = Drafts()
    """The many cheap pictures."""

    deduplicate: Deduplicate = Deduplicate()
    """What counts as a duplicate."""

    score: Score = Score()
    """How pictures are ranked."""

    finalists: Finalists = Finalists()
    """Which drafts are bought again."""

    finals: AnyFinals
    """How finalists are bought again; a list buys each in several editions: sizes, formats, models."""

    schedule: Schedule | None = None
    """When the campaign runs automatically."""

    review: Review = Review()
    """What people can say about a picture on the review page."""

    retention: Retention = Retention()
    """How long the files of pictures are kept."""

    ab_test: AbTest = AbTest()
    """How arms are compared."""

    verdict: Verdict = Verdict()
    """What the verdict over all nights leads to."""

    on_unknown: Literal["keep", "resend"] = "keep"
    """A request without an answer may be billed: `keep` it charged, or `resend` it and maybe pay twice."""

    files: str | None = Field(default=None, min_length=1)
    """Names of accepted finals: a template over the row, `arm`, `row`, `replicate`, `edition`, `campaign`."""

    images_per_minute: Annotated[int, Field(ge=1)] | Literal["auto"] | None = None
    """The limit of images per minute of the account, instead of the provider's; `auto` finds it."""

    _notes: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _with_made_arms(cls, data: object) -> object:
        return with_made_arms(data) if isinstance(data, dict) else data

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about how the file was read; not stored with the campaign."""
        return self._notes

    def with_notes(self, notes: Sequence[str]) -> "Campaign":
        """Return the campaign with notes about how its file was read."""
        noted = self.model_copy()
        noted._notes = tuple(notes)
        return noted

    @property
    def n_rows(self) -> int:
        """How many rows there are, without expanding them; 1 when nothing varies."""
        if isinstance(self.rows, tuple):
            return len(self.rows)
        count = 1
        for values in (self.variables or {}).values():
            count *= len(values)
        return count

    @cached_property
    def all_rows(self) -> tuple[Row, ...]:
        """The rows in order: those given, or every combination of the variables; else one empty row."""
        if isinstance(self.rows, tuple):
            return self.rows
        names = list(self.variables or {})
        values = (self.variables or {}).values()
        return tuple(dict(zip(names, combination, strict=True)) for combination in itertools.product(*values))

    @property
    def levels_by_arm(self) -> dict[str, dict[str, str]]:
        """The levels of every arm that was made of factors, by the factor's name."""
        return {name: arm.levels for name, arm in self.arms.items() if arm.levels}

    @property
    def levels_by_factor(self) -> dict[str, list[str]]:
        """The names of each factor's levels, its baseline first; empty without factors."""
        named = self.factors.named_levels if self.factors else {}
        return {factor: list(levels) for factor, levels in named.items()}

    def drafts_of(self, arm: str) -> Drafts:
        """Return an arm's draft settings: the campaign's, overridden by the arm's own."""
        own = self.arms[arm].drafts
        if own is None:
            return self.drafts
        changes = {key: getattr(own, key) for key in own.model_fields_set if getattr(own, key) is not None}
        if own.model is not None and own.successor is None:
            changes["successor"] = None  # the campaign's successor belongs to the campaign's model
        return self.drafts.model_copy(update=changes)

    def provider_of(self, arm: str) -> str:
        """Return the provider of an arm's drafts."""
        return self.arms[arm].provider or self.provider

    def final_provider(self, edition: Finals) -> str:
        """Return the provider of an edition's finals."""
        return edition.provider or self.provider

    @property
    def draft_sellers(self) -> tuple[str, ...]:
        """The providers of drafts, in the sequence of the arms, each once."""
        return tuple(dict.fromkeys(map(self.provider_of, self.arms)))

    @property
    def sellers(self) -> tuple[str, ...]:
        """Every provider that a run buys from: of drafts, of finals, and of the judge; each once."""
        finals = map(self.final_provider, self.editions) if self.finalists.most != 0 else ()
        return tuple(dict.fromkeys((*self.draft_sellers, *finals, *self.judge_sellers)))

    @property
    def judge_sellers(self) -> tuple[str, ...]:
        """The providers at which judging models are asked, each once; none without a judge."""
        return tuple(dict.fromkeys(one.provider or self.provider for one in self.score.asked_models))

    @property
    def first_arms(self) -> tuple[str, ...]:
        """The arms that a run begins with: all but those that a later round added."""
        late = {name for one in self.added_rounds for name in one.arms}
        return tuple(name for name in self.arms if name not in late)

    @property
    def added_rounds(self) -> tuple[AddedRound, ...]:
        """The rounds that added levels or a combination to the run, in order."""
        return self.factors.added if self.factors else ()

    @property
    def added_from(self) -> tuple[int, ...]:
        """The first replicate of each added round, in order."""
        return tuple(one.first_replicate for one in self.added_rounds)

    @property
    def planned_passes(self) -> tuple[Pass, ...]:
        """What is made whatever is decided: the first round, and those that added arms."""
        added = (
            Pass(
                tuple(arm for arm in self.arms if arm in {*one.arms, *one.beside}),
                one.first_replicate,
                one.replicates,
            )
            for one in self.added_rounds
        )
        return (*passes_of(self.rounds, self.first_arms, ()), *added)

    def added_round_of(self, replicate: int) -> int:
        """Return the number of the added round that made a replicate, from 1; 0 for the campaign's own."""
        return added_round_of(replicate, self.added_from)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds in which drafts are made; a single one unless `drafts.allocation` is halving."""
        return plan_rounds(len(self.first_arms), self.drafts.per_prompt, self.drafts.allocation)

    def references_of(self, arm: str) -> tuple[str, ...]:
        """List the pictures sent with an arm's draft orders; the arm's own replace the campaign's."""
        own = self.arms[arm].references
        return self.references if own is None else own

    @property
    def editions(self) -> tuple[Finals, ...]:
        """Each way in which finalists are bought again; one, unless `finals` is a list."""
        return self.finals if isinstance(self.finals, tuple) else (self.finals,)

    def with_editions(self, editions: Sequence[Finals]) -> "Campaign":
        """Return the campaign with other settings for its editions, as many as there were."""
        finals = tuple(editions) if isinstance(self.finals, tuple) else editions[0]
        return self.model_copy(update={"finals": finals})

    def mask_of(self, arm: str) -> str | Mask | None:
        """Return the mask that is sent with an arm's references; the arm's own replaces the campaign's.

        An arm whose list of references is empty has none, unless it names its own.
        """
        own = self.arms[arm]
        return None if own.references == () and own.mask is None else own.mask or self.mask

    @cached_property
    def variable_names(self) -> frozenset[str]:
        """The names that templates may use."""
        rows = self.rows if isinstance(self.rows, tuple) else (self.variables or {},)
        return frozenset(name for row in rows for name in row)

    def as_yaml(self) -> str:
        """Write the campaign as a self-contained file: rows read in, paths absolute."""
        data = self.model_dump(mode="json", exclude_unset=True)
        return write_yaml(data)
