"""Jinja2's sandbox with limits: no template takes long, takes much memory, or prints what is no text.

The sandbox keeps a template from the machine's files, not from its time and memory. Here every value that a
template makes is measured, and each pass of a loop, call, filter, operator and printed text is charged by the
characters it handles. A repetition, width or replacement that would make a large value is refused before it
is done. ``random`` and ``lipsum`` are missing: each filling of a prompt must be the same.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from types import GeneratorType
from typing import Any, cast

from jinja2 import StrictUndefined, Undefined, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner
from jinja2.visitor import NodeTransformer

from tasks.limits import TEMPLATE_CHARACTERS, TEMPLATE_VALUE_CHARACTERS, TEMPLATE_WORK

Value = Any
"""Whatever a template makes or is given."""

STEP_WORK = 10
"""What each step costs besides the characters that it handles."""
MOST_PRODUCT = 10_000_000
"""The most characters that a step may make before its result is measured."""
MOST_WIDTH, MOST_BITS = 1_000, 4_096
GLOBALS = ("range", "dict", "namespace", "cycler", "joiner")

_ATTRIBUTES = frozenset(["groupby", "map", "max", "min", "rejectattr", "selectattr", "sort", "sum", "unique"])
"""Filters that look an attribute up in every item, by a name that an error would hold as often."""
_PRODUCTS = _ATTRIBUTES | frozenset(
    ["batch", "center", "expandtabs", "format", "format_map", "indent", "join", "ljust", "replace", "rjust",
     "slice", "tojson", "urlize", "wordwrap", "xmlattr", "zfill"]
)  # fmt: skip
"""Filters and methods whose result can be as large as their value times an argument."""
_WIDTHS = _PRODUCTS - _ATTRIBUTES - {"format", "format_map", "join", "replace", "xmlattr"} | {
    "round",
    "truncate",
}
"""Filters and methods in which a number says how much to make."""
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(name for name in dir(str) if name[0] != "_") - {"encode", "maketrans", "translate"},
    int: frozenset(["bit_length"]),
    float: frozenset(["is_integer"]),
    list: frozenset(["count", "index", "copy"]),
    tuple: frozenset(["count", "index"]),
    dict: frozenset(["copy", "get", "items", "keys", "values"]),
    range: frozenset(["count", "index"]),
    Cycler: frozenset(["next", "reset"]),
    LoopContext: frozenset(["cycle", "changed"]),
}
_CONTAINERS: tuple[type, ...] = (
    list,
    tuple,
    set,
    frozenset,
    type({}.items()),
    type({}.keys()),
    type({}.values()),
)
_NUMBER = re.compile(r"\s*-?[0-9]+(?:\.[0-9]+)?\s*")
_PERCENT = re.compile(r"%(?:\([^)]*\))?[#0 +-]*(\*|[0-9]*)(?:\.(\*|[0-9]*))?")


class TemplateLimitError(SecurityError):
    """A template goes beyond a limit; the message says what it does."""


class _Account:
    """What one filling of a template has left.

    Args:
        literals: The characters of the template's own text, which a macro may print at each call.
    """

    def __init__(self, literals: int) -> None:
        self.literals = literals
        self.left = TEMPLATE_WORK

    def charge(self, work: int) -> None:
        self.left -= work + STEP_WORK
        if self.left < 0:
            message = f"it takes more than {TEMPLATE_WORK:,} steps and characters"
            raise TemplateLimitError(message)


_account: ContextVar[_Account] = ContextVar("account")


class Lazy(list[Any]):
    """What a filter yields item by item, as a list; a prompt that prints it lacks a ``join``."""


def _measure(value: object) -> int:
    """Count the characters and items of a value, those inside of it included.

    Raises:
        TemplateLimitError: There are too many, or it holds a function.
    """
    if isinstance(value, str | range):
        size = len(value)
    else:
        size, waiting = 0, [value]
        while waiting and size + len(waiting) <= TEMPLATE_VALUE_CHARACTERS:
            part = waiting.pop()
            size += len(part) if isinstance(part, str | range) else 1
            if isinstance(part, dict):
                waiting += [*part.keys(), *part.values()]
            elif isinstance(part, _CONTAINERS):
                waiting.extend(cast("Iterable[Any]", part))
            elif callable(part) and not isinstance(part, Undefined | Macro | type) and part is not value:
                message = f"it uses a function, {_name_of(part)}, as a value"
                raise TemplateLimitError(message)
        size += len(waiting)
    if size > TEMPLATE_VALUE_CHARACTERS:
        message = f"it makes a value of more than {TEMPLATE_VALUE_CHARACTERS:,} characters or items"
        raise TemplateLimitError(message)
    return size


def _name_of(function: object) -> str:
    return str(
        getattr(function, "__name__", None) or getattr(function, "name", None) or type(function).__name__
    )


def _check_format(template: str) -> None:
    """Refuse a width or a precision of four digits, or one that is an argument."""
    widths = [width for found in _PERCENT.finditer(template) for width in found.groups() if width]
    try:
        specs = [spec for _, _, spec, _ in string.Formatter().parse(template) if spec]
    except ValueError:  # no template of str.format
        specs = []
    for width in widths + specs:
        if "*" in width or "{" in width or re.search("[0-9]{4}", width):
            message = f"it formats to a width of {width[:20]}; at most 999, written as a number"
            raise TemplateLimitError(message)


def _check_product(name: str, value: object, others: Iterable[object]) -> None:
    """Refuse what would be too large before it is made."""
    if name in ("format", "format_map") and isinstance(value, str):
        _check_format(value)
    if name not in _PRODUCTS | _WIDTHS:
        return
    factor = 1
    for other in others:
        if isinstance(other, int) and name in _WIDTHS:
            if abs(other) > MOST_WIDTH:
                message = f"{name} is given {other}; at most {MOST_WIDTH:,}"
                raise TemplateLimitError(message)
            factor += abs(other)
        else:
            factor += _measure(other)
    if name in _PRODUCTS and _measure(value) * factor > MOST_PRODUCT:
        message = f"{name} could make more than {MOST_PRODUCT:,} characters"
        raise TemplateLimitError(message)


def _accounted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter or a test, so that what it is given and what it makes are measured and charged."""
    n_own = 1 if hasattr(function, "jinja_pass_arg") else 0  # the environment or the context comes first

    @wraps(function)
    def measured(*arguments: Value, **named: Value) -> Value:
        value, *others = [*arguments[n_own:], *named.values()]
        _charge(value, *others)
        _check_product(name, value, others)
        made = function(*arguments, **named)
        if isinstance(made, GeneratorType):
            made = Lazy(made)
        _charge(made)
        return made

    return measured


def _charge(*values: object) -> None:
    _account.get().charge(sum(map(_measure, values)))


def _each(values: Iterable[Any], work: int) -> Iterator[Any]:
    """Yield the values of a loop; each pass is charged what the loop's own text may print."""
    account = _account.get()
    for value in values:
        account.charge(work)
        yield value


def _concatenate(parts: list[Any]) -> str:
    _charge(*parts)
    return "".join(map(printed, parts))


def _weighed(value: Value) -> Value:
    _charge(value)
    return value


def printed(value: Value) -> str:
    """Write what a template prints as text.

    Raises:
        TemplateLimitError: It is no text: a function, nothing, a loop. Printed, it would be an address.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) or (
        isinstance(value, list | tuple | dict) and not isinstance(value, Lazy)
    ):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # raises, with its name
    if value is None:
        message = "it prints nothing (none)"
    elif isinstance(value, Lazy):
        message = "it prints a list of values; add |join(', ')"
    elif callable(value):
        message = f"it prints a function, {_name_of(value)}; write {_name_of(value)}() to call it"
    else:
        message = f"it prints what is no text, a {type(value).__name__}"
    raise TemplateLimitError(message)


def _finalize(value: Value) -> str:
    _charge(value)
    return printed(value)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The environment of every template that a person writes."""

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        # Without the optimizer, which would work out constants before anybody counts.
        super().__init__(undefined=StrictUndefined, optimized=False, finalize=_finalize, cache_size=0)
        del self.filters["random"]
        self.globals = {name: self.globals[name] for name in GLOBALS}
        filters: dict[str, Any] = self.filters
        tests: dict[str, Any] = self.tests
        self.filters = {name: _accounted(name, function) for name, function in filters.items()}
        self.tests = {name: _accounted(name, function) for name, function in tests.items()}
        self.filters |= {"_each": _each, "_concatenate": _concatenate, "_weighed": _weighed}

    def call_binop(self, context: Value, operator: str, left: Value, right: Value) -> Value:
        """Measure both sides, and refuse what would be too large."""
        _charge(left, right)
        both_whole = isinstance(left, int) and isinstance(right, int)
        if operator == "%" and isinstance(left, str):
            _check_product("format", left, [right])
        elif operator == "*" and both_whole:
            _check_bits(left.bit_length() + right.bit_length())
        elif operator == "*":
            _check_repeated(left, right)
            times = next((side for side in (left, right) if isinstance(side, int)), 1)
            _check_product("replace", left if times is right else right, ["x" * min(abs(times), 10**7)])
        elif operator == "**" and both_whole:
            _check_bits(left.bit_length() * max(right, 1))
        return _weighed(super().call_binop(context, operator, left, right))

    def call(__self, __context: Value, __function: Value, *arguments: Value, **named: Value) -> Value:  # noqa: N805
        """Call what a template may call; see ``_METHODS``."""
        others = [*arguments, *named.values()]
        _charge(*others)
        owner = getattr(getattr(__function, "__wrapped__", __function), "__self__", None)
        if isinstance(__function, Macro | BlockReference):
            _charge("x" * min(_account.get().literals, TEMPLATE_VALUE_CHARACTERS))
        elif not (__function in __self.globals.values() or isinstance(__function, LoopContext | Joiner)):
            kind = next((one for one in _METHODS if isinstance(owner, one)), None)
            if not isinstance(__function, Undefined) and (
                kind is None or _name_of(__function) not in _METHODS[kind]
            ):
                message = f"it calls {_name_of(__function)}, which a template cannot"
                raise TemplateLimitError(message)
            _check_product(_name_of(__function), owner, others)
        made = super().call(__context, __function, *arguments, **named)
        return _weighed(made)


def _check_repeated(left: Value, right: Value) -> None:
    """Refuse to repeat a text that is a number: 1.10 and what a CSV holds are text, and 2 * 3 would be 33."""
    for text, other in ((left, right), (right, left)):
        if isinstance(text, str) and isinstance(other, int) and _NUMBER.fullmatch(text) and text != "0":
            message = f"it multiplies the text {text}; write |float or |int after it"
            raise TemplateLimitError(message)


def _check_bits(bits: int) -> None:
    if bits > MOST_BITS:
        message = f"it makes a number of more than {MOST_BITS:,} bits"
        raise TemplateLimitError(message)


class _Accounting(NodeTransformer):
    """Puts the account into a template's loops, concatenations, comparisons, lists and slices."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's names
        if node.recursive:
            message = "it has a recursive loop"
            raise TemplateLimitError(message)
        literals = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        self.generic_visit(node)
        node.iter = _filter(node.iter, "_each", nodes.Const(literals))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "_concatenate")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filter(node.expr, "_weighed")
        for operand in node.ops:
            operand.expr = _filter(operand.expr, "_weighed")
        return node

    def _weigh(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, "_weighed") if getattr(node, "ctx", "load") == "load" else node

    visit_List = visit_Dict = visit_Tuple = _weigh  # noqa: N815

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter(node, "_weighed") if isinstance(node.arg, nodes.Slice) else node


def _filter(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(cast(nodes.Expr, node), name, list(arguments), [], None, None, lineno=node.lineno)


def find_names(parsed: nodes.Template) -> frozenset[str]:
    """Find the variables that a template uses, which rows must define.

    ``range`` and its like are among them unless they are called: whoever prints them means a variable.
    """
    called = {id(call.node) for call in parsed.find_all(nodes.Call)}
    parts = [part.node for part in parsed.find_all(nodes.Getattr)]
    parts += (part.node for part in parsed.find_all(nodes.Getitem))
    called |= {id(part) for part in parts if isinstance(part, nodes.Name) and part.name == "self"}
    names = list(parsed.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"}
    bare = {name.name for name in names if name.name in (*GLOBALS, "self") and id(name) not in called}
    return frozenset(meta.find_undeclared_variables(parsed) | bare - own)


_environment = BoundedEnvironment()


class BoundedTemplate:
    """A compiled template.

    Args:
        text: Jinja2 source.

    Attributes:
        parsed: Its syntax tree, as written.
        work: What all fillings so far were charged.

    Raises:
        TemplateError: It is no valid template, or too long.
        RecursionError, SyntaxError, MemoryError, ValueError: It is nested too deeply, or has a long number.
    """

    def __init__(self, text: str) -> None:
        if len(text) > TEMPLATE_CHARACTERS:
            message = f"it is {len(text):,} characters long; at most {TEMPLATE_CHARACTERS:,}"
            raise TemplateLimitError(message)
        self.parsed = _environment.parse(text)
        self.work = 0
        self._literals = sum(len(data.data) for data in self.parsed.find_all(nodes.TemplateData))
        tree = _Accounting().visit(_environment.parse(text))
        code = _environment.compile(tree)
        self._template = _environment.template_class.from_code(
            _environment, code, _environment.make_globals(None)
        )

    def fill(self, values: Mapping[str, object]) -> str:
        """Fill the template.

        Raises:
            Exception: Whatever its expressions raise; ``TemplateLimitError`` beyond a limit.
        """
        account = _Account(self._literals)
        token = _account.set(account)
        try:
            return self._template.render(values)
        finally:
            _account.reset(token)
            self.work += TEMPLATE_WORK - account.left
