"""Prompts: an arm's template filled with a row of variables.

A campaign file may come from somebody else, so templates run in Jinja2's sandbox. A variable that no row
defines is a fault, never empty text.
"""

from collections.abc import Iterator, Mapping

from jinja2 import TemplateError, nodes

from tasks.campaign.template_engine import BoundedTemplate, find_names
from tasks.limits import PROMPT_CHARACTERS
from tasks.text import find_no_text

DEFAULT_EDIT_PROMPT = (
    "Make this picture again in fine detail. Keep its subject, composition, pose, colours and style"
    " as they are. It shows: {{ prompt }}"
)
PADDED_EDIT_PROMPT = (
    "Make this picture again in fine detail, and go on with the scene where it is see-through, up to the"
    " edges. Keep its subject, composition, pose, colours and style as they are. It shows: {{ prompt }}"
)
DEFAULT_GENERATE_PROMPT = "{{ prompt }}"
LIKE_BEGINNING = (
    "A new picture in the manner of the one given: the same subject, style, light and mood, in another"
    " composition. It shows: "
)
"""What stands before a draft's own words where more like it is asked for."""


def own_words(prompt: str) -> str:
    """Return what a draft's prompt says of its picture, without what says how it is to be like another.

    Example:
        >>> own_words(f"{LIKE_BEGINNING}an otter"), own_words("an otter")
        ('an otter', 'an otter')
    """
    return prompt.removeprefix(LIKE_BEGINNING)


class PromptFaultError(ValueError):
    """No prompt can be made from a template and a row; the message says why."""


class EmptyPromptError(PromptFaultError):
    """The filled template is empty or only white space."""


class PromptTemplate:
    """A compiled template.

    Args:
        text: Jinja2 source.

    Attributes:
        names: The variables that it uses.
        names_tested: Those that it tests, so that they may be empty: in an ``if``, with ``or``, by a default.

    Raises:
        PromptFaultError: The text is not a valid template.
    """

    def __init__(self, text: str) -> None:
        try:
            self._template = BoundedTemplate(text)
            self.names = find_names(self._template.parsed)
        except TemplateError as error:
            message = f"is not a valid template: {(error.message or '').rstrip('.')}"
            raise PromptFaultError(message) from error
        except (RecursionError, SyntaxError, MemoryError, ValueError) as error:
            message = f"is not a valid template: {_reason(error)}"
            raise PromptFaultError(message) from error
        self.names_tested = _names_tested(self._template.parsed) & self.names

    @property
    def work(self) -> int:
        """What all fillings so far have taken, as ``limits.TEMPLATE_WORK`` counts."""
        return self._template.work

    def render(self, values: Mapping[str, object]) -> str:
        """Fill the template; white space at the ends is dropped.

        Raises:
            EmptyPromptError: The filled text is empty.
            PromptFaultError: A value is missing, the filled text is longer than 32,000 characters, or holds
                what cannot be sent; or the template did something that the sandbox forbids, or too much.
        """
        try:
            text = self._template.fill(values).strip()
        except Exception as error:  # a template can raise anything: its expressions are code
            message = f"cannot be filled: {_reason(error)}"
            raise PromptFaultError(message) from error
        if not text:
            message = "is empty when filled"
            raise EmptyPromptError(message)
        if found := find_no_text(text):
            message = f"holds {found} when filled"
            raise PromptFaultError(message)
        if len(text) > PROMPT_CHARACTERS:
            message = (
                f"is {len(text):,} characters long when filled; the vendor accepts {PROMPT_CHARACTERS:,}"
            )
            raise PromptFaultError(message)
        return text


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError | SyntaxError | MemoryError):
        return "it is nested too deeply"
    return str(error) or type(error).__name__


def _names_tested(template: nodes.Template) -> frozenset[str]:
    conditions: list[nodes.Node] = [node.test for node in template.find_all(nodes.If)]
    conditions += (node.test for node in template.find_all(nodes.CondExpr))
    conditions += template.find_all((nodes.Or, nodes.And, nodes.Test))
    conditions += (one for one in template.find_all(nodes.Filter) if one.name in ("default", "d"))
    named = (node for condition in conditions for node in _with_all_inside(condition))
    return frozenset(node.name for node in named if isinstance(node, nodes.Name))


def _with_all_inside(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def finals_template(own: str | None, method: str, fit: str = "any") -> str:
    """Choose the template of a final's prompt: the campaign's own, else the one for its method and fit.

    Args:
        own: The campaign's template, if it has one.
        method: ``edit`` or ``generate``.
        fit: How the draft is fitted to the final's size; ``pad`` has a template of its own.
    """
    if own is not None:
        return own
    if method == "generate":
        return DEFAULT_GENERATE_PROMPT
    return PADDED_EDIT_PROMPT if fit == "pad" else DEFAULT_EDIT_PROMPT
