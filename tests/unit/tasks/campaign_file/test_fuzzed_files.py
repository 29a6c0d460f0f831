"""Hostile campaigns, providers and catalogues: whatever stands in a file, it is read or is an error."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign_file.load import load_campaign
from tasks.catalogue import CATALOGUE_VARIABLE, configs_folder, load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import RunoffError
from tasks.marked_yaml import read_yaml
from tasks.plan import plan
from tests.support.campaign_files import basis
from tests.support.fuzzing import bounded, fuzz
from tests.support.planning import CATALOGUE, PROVIDERS

TODAY = date(2026, 11, 22)
WHOLE: dict[str, Any] = basis() | {
    "budget": {"per_run_usd": 50, "per_month_usd": 100},
    "references": ["one.png"],
    "mask": {"box": [0, 0, "50%", "{{ light }}"]},
    "drafts": {
        "model": "gpt-image-2",
        "per_prompt": 2,
        "lane": "interactive",
        "allocation": "fixed",
        "format": "png",
        "successor": {"model": "gpt-image-2.6-flare", "quality": "low"},
        "images_per_request": 1,
    },
    "deduplicate": {"radius_bits": 6, "history_runs": 0},
    "score": {
        "weights": {"technical": 1},
        "judge": {"rubric": ["x"]},
        "duel": {"per_row": 3},
        "expect_text": "{{ light }}",
        "palette": {"colors": ["#112233"]},
        "clip": {"weights": "x", "model": "y.json"},
    },
    "finalists": {"count": 2, "min_score": 0.5, "approval": "auto"},
    "finals": [
        {
            "name": "a",
            "model": "gpt-image-2.6-sunburst",
            "fit": "pad",
            "size": "1536x1024",
            "attempts": 2,
            "min_fidelity": 0.75,
            "references": ["logo.png"],
            "prompt": "{{ prompt }}",
            "mask": "m.png",
        }
    ],
    "schedule": {"cron": "0 6 * * 1", "interval": "6h", "rrule": "FREQ=DAILY", "timezone": "UTC"},
    "on_unknown": "keep",
}
SOUND: dict[str, Any] = {
    **{key: WHOLE[key] for key in ("budget", "deduplicate", "finalists", "on_unknown")},
    **basis(),
    "drafts": {"model": "gpt-image-2", "per_prompt": 2, "images_per_request": 1, "quality": "low"},
    "finals": {"model": "gpt-image-2", "attempts": 2, "min_fidelity": 0.75, "prompt": "{{ prompt }}"},
    "score": {"weights": {"technical": 1}, "expect_text": "{{ light }}"},
    "schedule": {"cron": "0 6 * * 1", "timezone": "UTC", "pause_when_unreviewed": 3},
}
HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            10**30,
            -1,
            10**9,
            2**63,
            1e308,
            "\x00",
            "\ud83d",
            "{{ range }}",
            "{{ 'x' * 10**9 }}",
            "/dev/zero",
            "../" * 50,
            "a" * 5000,
            "{% for i in range(10**9) %}x{% endfor %}",
            "\u202e",
            "1e999",
            "NaN",
            "0x10",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _paths(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))


def _changed(whole: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    copy = json.loads(json.dumps(whole))
    for path, value in changes:
        part = copy
        with suppress(KeyError, IndexError, TypeError):  # an earlier change took the place away
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = value
    return copy


def _hostile(whole: Any) -> st.SearchStrategy[Any]:
    """Make documents in which some values are others, and some keys are unknown."""
    places = st.sampled_from([path for path in _paths(whole) if path])
    new = places.map(lambda path: (*path[:-1], "unknown" if isinstance(path[-1], str) else path[-1]))
    changes = st.lists(st.tuples(places | new, HOSTILE), min_size=1, max_size=4)
    return changes.map(lambda found: _changed(whole, found))


@fuzz(examples=25)
@given(_hostile(WHOLE) | _hostile(SOUND))
def test_a_campaign_with_anything_in_it_is_planned_or_refused(
    tmp_path_factory: Any, campaign: dict[str, Any]
) -> None:
    """With each fault on one line; what is read can be planned, or has one more reason not to be."""
    folder: Path = tmp_path_factory.getbasetemp()
    file = folder / "fuzzed.yaml"
    file.write_text(json.dumps(campaign), encoding="utf-8")
    with bounded():
        try:
            loaded = load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical", "palette"])
            plan(loaded, CATALOGUE, PROVIDERS, "run", TODAY, home=folder)
            assert load_campaign_text(folder, loaded.as_yaml()) == loaded
        except RunoffError as error:
            _assert_printable(str(error))


def load_campaign_text(folder: Path, text: str) -> Any:
    """Read a campaign again from the copy that is kept beside a run."""
    file = folder / "copy.yaml"
    file.write_text(text, encoding="utf-8")
    return load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical", "palette"])


def _assert_printable(message: str) -> None:
    message.encode("utf-8")
    assert all(line.isprintable() for line in message.splitlines()), message


TEXT = yaml.safe_dump(WHOLE, sort_keys=False)


@fuzz(examples=25)
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 3), st.text(max_size=3)), max_size=5))
def test_a_campaign_with_a_few_wrong_letters_is_read_or_refused(
    tmp_path_factory: Any, edits: list[tuple[int, int, str]]
) -> None:
    """As fingers and tools leave it."""
    text = TEXT
    for place, n_gone, added in edits:
        text = text[:place] + added + text[place + n_gone :]
    file = tmp_path_factory.getbasetemp() / "edited.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with bounded():
        try:
            load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical", "palette"])
        except RunoffError as error:
            _assert_printable(str(error))


def _shipped(name: str) -> Any:
    return read_yaml((configs_folder() / name).read_text(encoding="utf-8")).data


@fuzz(examples=15)
@given(_hostile(_shipped("providers.yaml")))
def test_providers_with_anything_in_them_are_read_or_refused(tmp_path_factory: Any, document: Any) -> None:
    """Their addresses and waits too."""
    home: Path = tmp_path_factory.getbasetemp()
    (home / "providers.yaml").write_text(json.dumps(document), "utf-8")
    with bounded():
        try:
            for provider in load_providers(home).by_name.values():
                provider.base_url_now({})
                assert provider.read_timeout_s({"size": "1024x1024", "quality": "high"}) > 0
        except RunoffError as error:
            _assert_printable(str(error))


@fuzz(examples=10)
@given(_hostile(_shipped("catalogue.yaml")))
def test_a_catalogue_with_anything_in_it_is_read_or_refused(tmp_path_factory: Any, document: Any) -> None:
    """Prices and dates too."""
    file: Path = tmp_path_factory.getbasetemp() / "catalogue-fuzzed.yaml"
    file.write_text(json.dumps(document), "utf-8")
    with bounded():
        try:
            for model in load_catalogue(None, {CATALOGUE_VARIABLE: str(file)}).models.values():
                model.lifecycle(TODAY)
        except RunoffError as error:
            _assert_printable(str(error))
