"""Templates that would take the machine, or print what is no text, are refused; all others work."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from tasks.campaign.prompts import PromptFaultError, PromptTemplate
from tasks.limits import TEMPLATE_CHARACTERS, TEMPLATE_WORK
from tests.support.fuzzing import bounded, fuzz

ROW = {"price": "1.10", "a": "otter at 16:9", "n": 3, "flag": True, "long": "x" * 90_000}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ a }} x", "otter at 16:9 x"),
        ("{{ price|float * 2 }} {{ '-' * n }} {{ '0' * 2 }}", "2.2 --- 00"),
        ("{{ n + 1 }} {{ n ** 2 }} {{ 7 // 2 }} {{ 0.5 * n }}", "4 9 3 1.5"),
        ("{{ flag }} {{ not flag }}", "true false"),
        ("{{ a ~ n }}", "otter at 16:93"),
        (
            "{{ '%.2f'|format(1.5) }} {{ '{:>8}|{:.1f}'.format('ab', 2) }} {{ 'in 1999 %s' % n }}",
            "1.50       ab|2.0 in 1999 3",
        ),
        (
            "{% for i in range(n) %}{{ i }}{{ loop.cycle('a', 'b') }}{{ ',' if not loop.last }}{% endfor %}",
            "0a,1b,2a",
        ),
        ("{{ a.split(' ')|map('upper')|join('-') }}", "OTTER-AT-16:9"),
        (
            "{{ ['b', 'a']|sort|join(', ') }} {{ [1, 2]|sum }} {{ {'b': 1}.items()|list }}",
            "a, b 3 [('b', 1)]",
        ),
        (
            "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(n) }}{% set y %}set {{ n }}{% endset %}{{ y }}",
            "<3>set 3",
        ),
        (
            "{% set s=namespace(x='') %}{% for i in range(3) %}{% set s.x = s.x ~ i %}{% endfor %}{{ s.x }}",
            "012",
        ),
        ("{% set j = joiner() %}{{ j() }}a{{ j() }}b{{ cycler('c', 'd').next() }}", "a, bc"),
        (
            "{{ nope|default('d') }} {{ nope is defined }} {{ a if n > 2 else 'small' }}",
            "d false otter at 16:9",
        ),
        (
            "{% filter upper %}{{ a[:5] }}{% endfilter %} {{ a|replace('otter', 'seal')|title }}",
            "OTTER Seal At 16:9",
        ),
        (
            "{{ year|default(20261128) }} {{ a|truncate(9, leeway=0) }} {{ 'x'|center(5) }}|",
            "20261128 otter...   x  |",
        ),
    ],
)
def test_what_templates_do_works(template: str, text: str) -> None:
    """Filters, methods, loops, macros, formats."""
    assert PromptTemplate(template).render(ROW) == text


NESTED = "{% set l = [1] %}" + "{% set l = [l, l] %}" * 40
BOMBS = [
    "{{ a|batch(10**9)|list }}",
    "{{ a|slice(10**9)|list }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '%*d'|format(10**9, 1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=10**9) }}",
    "{{ range(10**9)|list }}",
    "{{ 'x' * 10**9 }}",
    "{{ 10**9 * 'x' }}",
    "{{ [1] * 10**9 }}",
    "{{ 9 ** (9 ** 9) }}",
    "{{ ('x' * 10000) * 10000 }}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}" + "y" * 1000 + "{% endfor %}",
    "{% for i in range(9999) %}{% if long in long %}{% endif %}{% endfor %}",
    "{% set s = namespace(x='ab') %}{% for i in range(60) %}{% set s.x = s.x ~ s.x %}{% endfor %}",
    "{% set s = namespace(x='ab') %}{% for i in range(60) %}{% set s.x = s.x + s.x %}{% endfor %}",
    "{% set s = namespace(x=2) %}{% for i in range(60) %}{% set s.x = s.x * s.x %}{% endfor %}{{ s.x }}",
    NESTED + "{{ l }}",
    NESTED + "{{ l == [l] }}",
    NESTED + "{{ l|string|length }}",
    "{% macro m(n) %}{{ m(n - 1) }}{{ m(n - 1) }}{% endmacro %}{{ m(900) }}",
    "{% macro m() %}" + "z" * 5000 + "{% endmacro %}{% for i in range(9000) %}{{ m() }}{% endfor %}",
    "{% block x %}{{ self.x() }}{{ self.x() }}{% endblock %}",
    "{% for i in [[1]] recursive %}{{ loop(i) }}{% endfor %}",
    "{{ long|replace('x', long) }}",
    "{{ long.replace('x', long) }}",
    "{{ long|list|join(long) }}",
    "{{ long.join(long) }}",
    "{{ ('{0}' * 30000).format(long) }}",
    "{{ ('%(a)s' * 20000) % {'a': long} }}",
    "{{ long|wordwrap(1, wrapstring=long) }}",
    "{{ long|indent(long) }}",
    "{{ [1]|tojson(indent=10**9) }}",
    "{{ 5.5|round(10**7, 'ceil') }}",
    "{{ ['x']|map('center', 10**9)|list }}",
    "{{ long.translate({120: long}) }}",
    "{{ long.encode('idna') }}",
]


@pytest.mark.parametrize("template", BOMBS, ids=lambda text: text[:40])
def test_what_would_take_the_machine_is_refused(template: str) -> None:
    """In far less than a second, and before it is made."""
    with bounded(time_s=2, memory_mb=100), pytest.raises(PromptFaultError):
        PromptTemplate(template).render(ROW)


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "1+" * 20_000 + "1 }}",
        "{{ " + "-" * 40_000 + "1 }}",
        "{{ " + "[1," * 100 + "]" * 100 + " }}",
        "{% if a %}" * 2500 + "{% endif %}" * 2000,
        "{{ a" + ".x" * 20_000 + " }}",
        "{{ a" + "|upper" * 8000 + " }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ a }}" * 1000,
        "x" * (TEMPLATE_CHARACTERS + 1),
        "{{ '" + "\\ud83d" + "' }}",
        "{% include 'x' %}",
        "{{ [1, 2]|random }}",
        "{{ a|nothing }}",
        "{{",
        "{% for %}",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_long_or_deep_is_a_fault_or_filled(template: str) -> None:
    """Nothing else is raised, when it is read and when it is filled."""
    with bounded(memory_mb=200), suppress(PromptFaultError):
        PromptTemplate(template).render(ROW)


@pytest.mark.long  # every day: test_what_would_take_the_machine_is_refused
@pytest.mark.parametrize("name", sorted({*FILTERS, *TESTS, *dir(str), *dir(dict)}))
def test_no_filter_test_or_method_makes_something_large(name: str) -> None:
    """Whatever it is given: long texts, large numbers, many of them."""
    for value in ("long", "7", "[long[:9], 2] * 5000", "{'x': long}"):
        for others in ("", "10**9", "long, long", "long, 10**9", "10**9, long", "width=10**9", "100000"):
            for template in (
                f"{{{{ ({value})|{name}({others})|string|length }}}}",
                f"{{{{ ({value}) is {name}({others}) }}}}",
                f"{{{{ ({value}).{name}({others})|string|length }}}}",
            ):
                with bounded(time_s=1, memory_mb=300), suppress(PromptFaultError):
                    PromptTemplate(template).render(ROW)


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{{ a.upper }}", "it prints a function, upper; write upper() to call it"),
        ("{{ [a.upper]|join }}", "it uses a function, upper, as a value"),
        ("{{ ['x']|map(attribute='upper')|join }}", "it uses a function, upper, as a value"),
        ("{{ ['x']|map('upper') }}", "it prints a list of values; add |join(', ')"),
        ("{{ none }}", "it prints nothing (none)"),
        ("{{ price * 2 }}", "it multiplies the text 1.10; write |float or |int after it"),
        ("{{ 2 * '3' }}", "it multiplies the text 3"),
        ("{{ namespace(x=1) }}", "it prints what is no text, a Namespace"),
        ("{{ range(3) }}", "it prints what is no text, a range"),
        ("{% for i in [1] %}{{ loop }}{% endfor %}", "it prints a function, LoopContext"),
        ("{% macro m() %}x{% endmacro %}{{ m }}", "it prints a function, m; write m() to call it"),
        ("{{ a.__class__ }}", "is unsafe"),
        ("{{ [1].append(2) }}", "is unsafe"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        (
            "{% for i in range(100000) %}{{ i }}{% endfor %}",
            f"more than {TEMPLATE_WORK:,} steps and characters",
        ),
    ],
)
def test_what_is_no_text_is_not_printed(template: str, what: str) -> None:
    """It would be an address, another one each time, in a prompt that is paid for."""
    with pytest.raises(PromptFaultError) as caught:
        PromptTemplate(template).render(ROW)
    assert what in str(caught.value)


@pytest.mark.parametrize("name", ["range", "dict", "loop", "namespace", "cycler", "joiner"])
def test_names_that_jinja_knows_are_variables_when_they_are_printed(name: str) -> None:
    """Whoever writes them in a prompt means a column; called, they are Jinja's."""
    assert name in PromptTemplate(f"an otter, {{{{ {name} }}}}").names
    assert PromptTemplate(f"{{{{ {name} }}}}").render({name: "a mountain range"}) == "a mountain range"
    assert PromptTemplate("{% for i in range(2) %}{{ loop.index }}{% endfor %}").names == frozenset()
    assert PromptTemplate("{{ self }}").names == {"self"}
    assert PromptTemplate("{% block x %}{% endblock %}{{ self.x() }}").names == frozenset()


PIECES = st.sampled_from(
    [
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "a",
        "n",
        "long",
        "10**9",
        "[",
        "]",
        "(",
        ")",
        "|",
        "|join",
        "|list",
        "*",
        "+",
        "~",
        "**",
        "%",
        "'%9999d'",
        "for i in range(99999)",
        "endfor",
        "set x = ",
        "x",
        "if ",
        "endif",
        "macro m()",
        "endmacro",
        "m()",
        ".upper",
        "()",
        ".format(",
        ",",
        "==",
        " in ",
        "loop",
        "self",
        "block b",
        "endblock",
        "self.b()",
        "{# ",
        " #}",
        "-",
        "range",
        "namespace(x=1)",
        "|batch(",
        "|map('",
        "')",
        "not ",
        "is ",
        "none",
        "caller()",
        "call m()",
        "endcall",
    ]
)


@fuzz(examples=100)
@given(st.lists(PIECES | st.text(max_size=2), max_size=25).map("".join))
def test_any_template_is_filled_or_is_one_fault(text: str) -> None:
    """In bounded time and memory, and nothing it prints is an address."""
    with bounded(), suppress(PromptFaultError):
        assert " at 0x" not in PromptTemplate(text).render(ROW)
