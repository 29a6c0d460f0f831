"""What a campaign probably does not mean, though it is valid: gaps in prompts, equal requests, unknown names.

It is paid for all the same, so the plan tells.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from tasks.campaign import Campaign
from tasks.campaign.prompts import PromptTemplate, finals_template
from tasks.campaign.statements import VARIABLE
from tasks.order import Order
from tasks.text import is_blank

MOST_ROWS_NAMED = 5

Content = tuple[str, str, tuple[str, ...], bool]


def find_likely_mistakes(campaign: Campaign, orders: Sequence[Order]) -> list[str]:
    """Find gaps in prompts, arms that ask for the same, rows that differ in nothing, and names of nothing.

    Args:
        campaign: The campaign to run.
        orders: Its draft orders.
    """
    firsts = takewhile(lambda order: order.replicate == orders[0].replicate, orders)
    requests = {(order.arm, order.row): _content(order) for order in firsts}
    return [
        *_gaps(campaign),
        *_equal_arms(campaign, requests),
        *_equal_rows(campaign, requests),
        *_unknown_names(campaign),
    ]


def unused_variables(campaign: Campaign) -> list[str]:
    """List the variables that no template of the campaign uses, in their order."""
    texts = [arm.prompt for arm in campaign.arms.values()]
    texts += [finals_template(each.prompt, each.method, each.fit) for each in campaign.editions]
    texts += [campaign.files or ""]
    texts += campaign.score.expected_templates or ("{{ expect_text }}",)
    if judge := campaign.score.judge:
        texts += [f"{{{{ {VARIABLE} }}}}", *(one.statement for one in judge.statements)]
    texts += campaign.score.duel.rubric if campaign.score.duel else ()
    for arm in campaign.arms:
        texts += campaign.references_of(arm)
        mask = campaign.mask_of(arm)
        texts += [mask] if isinstance(mask, str) else []
    for edition in campaign.editions:
        texts += edition.references
        texts += [edition.mask] if isinstance(edition.mask, str) else []
    counted = {*campaign.finalists.per, *(campaign.ab_test.segments or ())}
    used = counted.union(*(PromptTemplate(text).names for text in texts))
    return [name for name in (campaign.all_rows[0] if campaign.all_rows else {}) if name not in used]


def _content(order: Order) -> Content:
    """Return what is asked for, whoever asks."""
    return order.prompt, str(order.parameters), tuple(sent.sha256 for sent in order.sent), order.mask is None


def _unknown_names(campaign: Campaign) -> Iterator[str]:
    """Describe names in the verdict's rules that no arm and no variable has: the rules would do nothing."""
    for name in campaign.ab_test.segments or ():
        if name not in campaign.variable_names:
            yield f"ab_test.segments: no row has a variable {name!r}."
    for name in campaign.verdict.keep if campaign.verdict.retire_when else ():
        if name not in campaign.arms:
            yield f"verdict.keep: there is no arm {name!r}; the arms are {', '.join(campaign.arms)}."


def _gaps(campaign: Campaign) -> Iterator[str]:
    """Describe empty values that a prompt or a statement uses without testing for them."""
    texts = {f"arms.{name}.prompt": arm.prompt for name, arm in campaign.arms.items()}
    if judge := campaign.score.judge:
        texts |= {f"score.judge.rubric.{index}": one.statement for index, one in enumerate(judge.statements)}
    for key, text in texts.items():
        template = PromptTemplate(text)
        for variable in sorted(template.names - template.names_tested):
            empty = [
                index
                for index, row in enumerate(campaign.all_rows)
                if isinstance(value := row.get(variable), str) and is_blank(value)
            ]
            if empty:
                where = "prompt" if key.startswith("arms.") else "statement"
                yield (
                    f"{key}: {variable} is empty in {_rows(empty)}, which leaves a gap in the"
                    f" {where}; fill it, or write {{% if {variable} %}} around it."
                )


def _equal_arms(campaign: Campaign, requests: Mapping[tuple[str, int], Content]) -> Iterator[str]:
    """Describe arms that ask for the same in some row: what is compared there is chance."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in range(len(campaign.all_rows)):
        groups: dict[Content, list[str]] = defaultdict(list)
        for arm in campaign.arms:
            if (arm, row) in requests:
                groups[requests[arm, row]].append(arm)
        for names in groups.values():
            if len(names) > 1:
                alike[tuple(names)].append(row)
    for arms, rows in alike.items():
        where = "" if len(rows) == len(campaign.all_rows) else f" in {_rows(rows)}"
        yield (f"arms {_listed(arms)} ask for the same{where}: what differs between them there is chance.")


def _equal_rows(campaign: Campaign, requests: Mapping[tuple[str, int], Content]) -> Iterator[str]:
    """Describe rows for which every arm asks for the same."""
    groups: dict[tuple[Content | None, ...], list[int]] = defaultdict(list)
    for row in range(len(campaign.all_rows)):
        groups[tuple(requests.get((arm, row)) for arm in campaign.arms)].append(row)
    for rows in groups.values():
        if len(rows) > 1:
            yield f"{_rows(rows)} ask for the same in every arm; per_prompt makes more pictures of one row."


def _rows(indices: Collection[int]) -> str:
    """Name rows as people count them.

    Example:
        >>> _rows([0, 2, 3])
        'rows 1, 3 and 4'
    """
    numbers = [str(index + 1) for index in indices]
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    if len(numbers) > MOST_ROWS_NAMED:
        return f"rows {', '.join(numbers[:MOST_ROWS_NAMED])} and {len(numbers) - MOST_ROWS_NAMED} more"
    return f"rows {_listed(numbers)}"


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
