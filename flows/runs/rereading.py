"""Reading the kept answers of unknown requests again, of all runs or of some requests."""

from collections.abc import Callable, Sequence
from itertools import groupby

from flows.runs.lock import locked_run
from flows.runs.run import StoredRun
from tasks.errors import LedgerError
from tasks.images_api.reread import Reread, kept_orders, reread
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger
from tasks.settings import Settings


def reread_answers(
    settings: Settings,
    ledger: Ledger,
    order_ids: Sequence[str] = (),
    run: str | None = None,
    *,
    takes_part: bool = False,
    watch: Callable[[Reread], None] = lambda _: None,
) -> list[Reread]:
    """Read kept answers again; what can be read now is received. Nothing is bought.

    Args:
        settings: The home and the environment.
        ledger: The ledger.
        order_ids: Only these orders; by default all.
        run: Only of this run; by default of all.
        takes_part: Whether pictures that are there count though others of their order could not be fetched.
        watch: Is told of each, as soon as it was read.

    Raises:
        RunError: There is no such run, or another process works on one.
        LedgerError: An order is not unknown. Nothing was changed.
        SettingError: A picture could not be stored.
    """
    unknown = ledger.reconciliations.unknown(None if run is None else ledger.runs.find(run).run_id)
    wanted = [one.record for one in unknown if not order_ids or one.record.order.order_id in order_ids]
    if missing := sorted(set(order_ids) - {record.order.order_id for record in wanted}):
        raise LedgerError(
            where=f"order {', '.join(missing)}",
            what="is not unknown, or there is none of that name",
            money="Nothing was changed.",
            next_step="List them with: runoff ledger unknown",
        )
    chosen = {record.order.order_id for record in wanted}
    found: list[Reread] = []
    for run_id, _ in groupby(sorted(record.order.run_id for record in wanted)):
        stored = StoredRun.find(settings, ledger, run_id)

        def terms_of(name: str, of: StoredRun = stored) -> Terms:
            return Terms(of.providers.provider(name), of.catalogue, settings.environ)

        with locked_run(ledger, stored.folder):
            records = kept_orders(ledger, run_id, stored.folder)
            records = [record for record in records if record.order.order_id in chosen]
            for one in reread(ledger, records, stored.folder, terms_of, takes_part=takes_part):
                watch(one)
                found.append(one)
    return found
