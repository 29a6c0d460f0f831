"""The checks of a campaign's scorers: whether everything that the weighted ones need is there."""

from collections.abc import Iterator
from pathlib import Path

from tasks.campaign import Campaign
from tasks.campaign.expected_text import VARIABLE, expected_texts
from tasks.campaign.prompts import PromptFaultError
from tasks.campaign_file.fault import other_rows
from tasks.extras import install_command
from tasks.marked_yaml import KeyPath
from tasks.scorers import missing_extra

Fault = tuple[KeyPath, str, str]
"""Key, what is wrong, what is accepted."""


def scorer_faults(campaign: Campaign) -> Iterator[Fault]:
    """Find what weighted scorers lack, so that nothing is bought that cannot be scored."""
    for name in campaign.score.weights:
        extra = missing_extra(name)
        if extra:
            path = ("score", "weights", name)
            yield path, f"needs the extra {extra!r}, which is not installed", install_command(extra)
    yield from _text_faults(campaign)
    palette = campaign.score.palette
    if "palette" in campaign.score.weights and (palette is None or not palette.colors):
        yield ("score", "palette"), "has no colour, but score.weights uses it", 'colors: ["#1A2B3C"]'
    if "copy_space" in campaign.score.weights and campaign.score.copy_space is None:
        accepted = "{left: 0.05, top: 0.05, width: 0.5, height: 0.3}, in shares of the picture"
        yield ("score", "copy_space"), "is missing, but score.weights uses it", accepted
    if "untouched" in campaign.score.weights and not any(map(campaign.mask_of, campaign.arms)):
        what = "has untouched, and no arm has a mask, outside of which nothing should change"
        yield ("score", "weights", "untouched"), what, "a mask, or weights without untouched"
    if "clip" in campaign.score.weights:
        yield from _clip_faults(campaign)


def _text_faults(campaign: Campaign) -> Iterator[Fault]:
    templates = campaign.score.expected_templates
    path = ("score", "expect_text")
    failed = []
    wanted = 0
    for index, row in enumerate(campaign.all_rows):
        try:
            wanted += bool(expected_texts(templates, row))
        except PromptFaultError as error:
            failed.append(f"row {index + 1} {error}")
    if failed:
        yield path, failed[0] + other_rows(failed), "a template of the rows' variables"
    elif not wanted and "legibility" in campaign.score.weights:
        accepted = f"a template, or a variable {VARIABLE} in the rows"
        yield path, "no row expects text, but score.weights uses legibility", accepted
    if campaign.score.expect_text_must and "legibility" not in campaign.score.weights:
        what = "does not have legibility, and expect_text_must needs what it reads"
        yield ("score", "weights"), what, "legibility: 1, or legibility: 0 to read without counting it"


def _clip_faults(campaign: Campaign) -> Iterator[Fault]:
    clip = campaign.score.clip
    if clip is None:
        yield ("score", "clip"), "is missing, but score.weights uses it", "a mapping with weights and model"
        return
    files = {"weights": clip.weights} | ({"model": clip.model} if clip.model.endswith(".json") else {})
    for key, file in files.items():
        if not Path(file).is_file():
            yield ("score", "clip", key), f"there is no file {file}", "a file; nothing is downloaded"
