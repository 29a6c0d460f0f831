"""What was collected for a new campaign: arms, rows and statements, and what could not be taken."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.campaign.row_value import Scalar
from tasks.text import spell_plainly

AGAIN = "No file was written. Fix it, then try again."
MOST_ARMS = 26
MOST_ARM_NAME = 32
MOST_STATEMENTS = 8
"""More make a judge's answer long and each of them weigh little."""


@dataclass(frozen=True)
class ArmText:
    """One arm: its name, its prompt as a template, and its own model, if any."""

    name: str
    prompt: str
    model: str | None = None


@dataclass(frozen=True)
class Collected:
    """What a new campaign is made of.

    Args:
        about: What it comes from, a sentence.
        arms: The arms; empty where those of a template are used.
        rows: Rows to write into the file.
        rows_file: A file that the campaign reads its rows from instead; empty for none.
        rubric: Statements for the judge.
        drafts: Settings of drafts, such as ``size``.
        finals: Settings of finals, such as ``quality``.
        model: The draft model; empty for the cheapest.
        not_taken: A sentence for each part that could not be taken.
    """

    about: str = ""
    arms: tuple[ArmText, ...] = ()
    rows: tuple[Mapping[str, Scalar], ...] = ()
    rows_file: str = ""
    rubric: tuple[str, ...] = ()
    drafts: Mapping[str, str] = field(default_factory=dict)
    finals: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    not_taken: tuple[str, ...] = ()


def arm_name(text: str, taken: Collection[str], most_words: int = 3) -> str:
    """Make an arm's name of a label or a prompt: its first words, unlike those that are taken.

    Example:
        >>> arm_name("Studio photograph, one soft light", [])
        'studio-photograph'
        >>> arm_name("studio photograph", ["studio-photograph"])
        'studio-photograph-2'
    """
    plain = spell_plainly(re.sub(r"{{.*?}}|{%.*?%}", " ", text))
    words = re.findall(r"[A-Za-z0-9]+", plain.split(",")[0]) or re.findall(r"[A-Za-z0-9]+", plain)
    base = "-".join(words[:most_words]).lower()[: MOST_ARM_NAME - 3].strip("-") or "arm"
    name, number = base, 2
    while name in {other.lower() for other in taken}:
        name, number = f"{base}-{number}", number + 1
    return name


def variable_name(text: str, taken: Collection[str] = ()) -> str:
    """Make a variable's name of a column's or a placeholder's: letters, digits and ``_``, never ``prompt``.

    Example:
        >>> variable_name("product-name"), variable_name("prompt"), variable_name("2nd Größe")
        ('product_name', 'text', '_2nd_Grosse')
    """
    base = re.sub(r"\W", "_", spell_plainly(text.strip()), flags=re.ASCII)[:60]
    base = base if base.strip("_") else "column"
    base = f"_{base}" if base[0].isdigit() else base
    base = "text" if base == "prompt" else base
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def named_arms(styles: Sequence[str], prompt: str) -> tuple[ArmText, ...]:
    """Make one arm of each style.

    Args:
        styles: Texts that are put into the prompt, or ``name=text``.
        prompt: The prompt, with ``[style]`` where the text goes.
    """
    arms: list[ArmText] = []
    for style in styles:
        name, mark, text = style.partition("=")
        given = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", name) if mark else None
        text = text if given else style
        arms.append(ArmText(arm_name(name if given else text, [arm.name for arm in arms]),
                            prompt.replace("[style]", text.strip())))  # fmt: skip
    return tuple(arms)
