"""Prompts: an arm's template filled with a row of variables.

Templates come from a file that somebody else may have written, so they run in Jinja2's sandbox; a variable
that no row holds is a fault and never an empty word.
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
    """A template or a row from which no prompt can be made; its text says why."""


class EmptyPromptError(PromptFaultError):
    """The template was filled, and nothing but white space came out."""


class PromptTemplate:
    """A compiled template.

    Args:
        text: Jinja2 source.

    Raises:
        PromptFaultError: The text is no template.
    """

    def __init__(self, text: str) -> None:
        try:
            self.names = frozenset(meta.find_undeclared_variables(_environment.parse(text)))
            self._template = _environment.from_string(text)
        except TemplateError as error:
            message = f"is no template: {error.message}"
            raise PromptFaultError(message) from error

    def render(self, values: Mapping[str, object]) -> str:
        """Fill the template; white space at the ends is dropped.

        Raises:
            EmptyPromptError: The text comes out empty.
            PromptFaultError: A value is missing, the text comes out longer than 32,000 characters, or the
                template did something that the sandbox forbids.
        """
        try:
            text = self._template.render(values).strip()
        except Exception as error:  # a template can raise anything: its expressions are code
            message = f"cannot be filled: {error}"
            raise PromptFaultError(message) from error
        if not text:
            message = "comes out empty"
            raise EmptyPromptError(message)
        if len(text) > MAX_PROMPT_CHARACTERS:
            message = f"comes out {len(text):,} characters long, over the vendor's {MAX_PROMPT_CHARACTERS:,}"
            raise PromptFaultError(message)
        return text


def finals_template(own: str | None, method: str, fit: str = "any") -> str:
    """Choose the template of a final's prompt: the campaign's own, else the one for its method and fit."""
    if own is not None:
        return own
    if method == "generate":
        return DEFAULT_GENERATE_PROMPT
    return PADDED_EDIT_PROMPT if fit == "pad" else DEFAULT_EDIT_PROMPT
