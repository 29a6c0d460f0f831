"""Prompts: an arm's template filled with a row of variables.

A campaign file may come from somebody else, so templates run in Jinja2's sandbox. A variable that no row
defines is a fault, never empty text.
"""

from collections.abc import Mapping

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

MAX_PROMPT_CHARACTERS = 32_000
MAX_ROWS = 100_000

DEFAULT_EDIT_PROMPT = (
    "Make this picture again in fine detail. Keep its subject, composition, pose, colours and style"
    " as they are. It shows: {{ prompt }}"
)
PADDED_EDIT_PROMPT = (
    "Make this picture again in fine detail, and go on with the scene where it is see-through, up to the"
    " edges. Keep its subject, composition, pose, colours and style as they are. It shows: {{ prompt }}"
)
DEFAULT_GENERATE_PROMPT = "{{ prompt }}"

_environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


class PromptFaultError(ValueError):
    """No prompt can be made from a template and a row; the message says why."""


class EmptyPromptError(PromptFaultError):
    """The filled template is empty or only white space."""


class PromptTemplate:
    """A compiled template.

    Args:
        text: Jinja2 source.

    Raises:
        PromptFaultError: The text is not a valid template.
    """

    def __init__(self, text: str) -> None:
        try:
            self.names = frozenset(meta.find_undeclared_variables(_environment.parse(text)))
            self._template = _environment.from_string(text)
        except TemplateError as error:
            message = f"is not a valid template: {error.message}"
            raise PromptFaultError(message) from error

    def render(self, values: Mapping[str, object]) -> str:
        """Fill the template; white space at the ends is dropped.

        Raises:
            EmptyPromptError: The filled text is empty.
            PromptFaultError: A value is missing, the filled text is longer than 32,000 characters, or the
                template did something that the sandbox forbids.
        """
        try:
            text = self._template.render(values).strip()
        except Exception as error:  # a template can raise anything: its expressions are code
            message = f"cannot be filled: {error}"
            raise PromptFaultError(message) from error
        if not text:
            message = "is empty when filled"
            raise EmptyPromptError(message)
        if len(text) > MAX_PROMPT_CHARACTERS:
            message = (
                f"is {len(text):,} characters long when filled; the vendor accepts {MAX_PROMPT_CHARACTERS:,}"
            )
            raise PromptFaultError(message)
        return text


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
