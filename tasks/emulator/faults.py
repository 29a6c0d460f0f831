"""Fault rules: when a request fails, and how.

A rule has a trigger (every match, a rate, the n-th matches; limited by path, prompt and number of times) and
a kind. The first rule that fires applies. A YAML file has ``faults: [...]``; the control endpoint takes the
same as JSON. What each kind does is in ``fault_kinds``.
"""

import random
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tasks.errors import SettingError
from tasks.limits import YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml
from tasks.storage.regular_file import read_regular_text

FailureKind = Literal[
    "bill_then_hang",
    "bill_then_drop",
    "drop",
    "slow_body",
    "truncated_body",
    "rate_limited",
    "quota",
    "billing_hard_limit",
    "server_error",
    "slow_down",
    "comet_error",
    "moderation",
    "empty_data",
    "html_200",
    "redirect_html",
    "retired",
    "unverified",
    "invalid_key",
    "wrong_size",
    "wrong_format",
    "lower_tier",
    "fewer_pictures",
    "foreign_usage_keys",
    "missing_usage",
    "judge_refusal",
    "judge_broken",
    "no_picture",
    "truncated_png",
    "bomb",
    "stream_error",
    "stream_drop",
    "fewer_partials",
    "enqueued_limit",
    "batch_invalid",
    "batch_expires",
    "batch_all_failed",
    "batch_reversed",
    "batch_line_doubled",
    "batch_line_truncated",
    "batch_line_missing",
    "batch_gone",
    "file_gone",
    "download_cut",
]
FAULT_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"no regular expression: {error}"
        raise ValueError(message) from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compilable)]


class FaultRule(BaseModel):
    """When to fail, and how.

    Args:
        kind: The kind of fault.
        rate: Share of the matching requests that fail, 0-1.
        nth: Which matching requests fail, from 1; empty means all.
        times: The most failures; ``None`` for no limit.
        path: Part of the request's path, such as ``edits``; for a line of a batch, of the path in it.
        method: HTTP method, or ``BATCH`` for the lines of batches; empty for all.
        prompt: Regular expression to be found in the prompt.
        billed: Whether the pictures are charged, or, on a route without pictures, whether the call takes
            effect though its answer is lost; ``None`` is the default of the kind.
        status: For ``server_error``: 500, 502, 503, 504 or 524.
        code: For ``quota``, ``comet_error``, ``stream_error`` and ``batch_invalid``: the error's code.
        retry_after: For ``rate_limited``: seconds in ``Retry-After``; ``None`` omits the header.
        stage: For ``moderation``: whether the prompt or the finished picture is refused.
        duration_s: For ``bill_then_hang`` and ``slow_body``: how long, seconds.
        share: For ``batch_expires``: the share of lines done in time, 0-1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FailureKind
    rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    nth: tuple[Annotated[int, Field(ge=1)], ...] = ()
    times: Annotated[int, Field(ge=1)] | None = None
    path: str = ""
    method: Literal["", "GET", "POST", "DELETE", "BATCH"] = ""
    prompt: Pattern = ""
    billed: bool | None = None
    status: Literal[500, 502, 503, 504, 524] = 500
    code: str | None = None
    retry_after: Annotated[int, Field(ge=0)] | None = 1
    stage: Literal["input", "output"] = "input"
    duration_s: Annotated[float, Field(ge=0)] = 3600.0
    share: Annotated[float, Field(ge=0, le=1)] = 0.5

    def covers(self, path: str, prompt: str | None, method: str) -> bool:
        """Whether the rule applies to a request.

        Args:
            path: The request's path.
            prompt: Its prompt, if it has one.
            method: Its HTTP method, or ``BATCH`` for a line of a batch.
        """
        if self.path not in path or self.method not in ("", method):
            return False
        return not self.prompt or re.search(self.prompt, prompt or "") is not None


_RULES = TypeAdapter(tuple[FaultRule, ...])


def read_rules(raw: object) -> tuple[FaultRule, ...]:
    """Parse rules read from YAML or JSON: a list, or an object with ``faults``.

    Raises:
        ValueError: One of them is wrong; the message names every fault in them.
    """
    if isinstance(raw, dict):
        raw = raw.get("faults") if set(raw) == {"faults"} else [raw]
    return _RULES.validate_python(raw or ())


def load_rules(file: Path) -> tuple[FaultRule, ...]:
    """Read rules from a YAML file.

    Raises:
        SettingError: The file cannot be read, or a rule in it is wrong.
    """
    try:
        return read_rules(read_yaml(read_regular_text(file, YAML_BYTES)).data)
    except (OSError, YamlFaultError, ValidationError) as error:
        raise SettingError(
            where=str(file),
            what=f"the faults cannot be read: {explain(error)}",
            accepted=f"faults: a list of rules, each with a kind of {', '.join(FAULT_KINDS)}",
        ) from error


def explain(error: Exception) -> str:
    """Describe the errors in rules, one line each."""
    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_url=False, include_context=False)
    return "; ".join(f"rule {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)


class FaultBook:
    """The active rules, with counts of how often each matched and fired.

    Args:
        rules: In order; the first that fires applies.
        seed: Decides which requests a rate selects: equal seeds and orders of requests give equal faults.
    """

    def __init__(self, rules: Sequence[FaultRule] = (), seed: int = 1) -> None:
        self._seed = seed
        self.replace(rules)

    def replace(self, rules: Sequence[FaultRule]) -> None:
        """Replace the rules and reset the counts."""
        self.rules = tuple(rules)
        self._seen = [0] * len(self.rules)
        self.fired = [0] * len(self.rules)

    def choose(
        self,
        path: str,
        prompt: str | None,
        method: str = "POST",
        kinds: Collection[FailureKind] = FAULT_KINDS,
    ) -> FaultRule | None:
        """Find the rule that fires on a request, and count it.

        Args:
            path: The request's path.
            prompt: The prompt, if there is one.
            method: The HTTP method; ``BATCH`` for a line of a batch.
            kinds: The kinds that can happen there; other rules are ignored.
        """
        for index, rule in enumerate(self.rules):
            if rule.kind in kinds and rule.covers(path, prompt, method):
                self._seen[index] += 1
                if self._fires(index, rule):
                    self.fired[index] += 1
                    return rule
        return None

    def _fires(self, index: int, rule: FaultRule) -> bool:
        seen = self._seen[index]
        if rule.times is not None and self.fired[index] >= rule.times:
            return False
        if rule.nth and seen not in rule.nth:
            return False
        return random.Random(f"{self._seed}:{index}:{seen}").random() < rule.rate
