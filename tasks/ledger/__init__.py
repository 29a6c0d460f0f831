"""The ledger: the database of runs, orders, candidates and scores, from which all else is derived.

An order is recorded before it is sent and settled after its bytes are on disk, so that after a crash, a kill
or a full disk the ledger never shows less than the provider's bill. ``orders.charged_nanousd`` is what an
order currently adds to its budgets: its estimate while it is sent or unknown, its cost once received,
otherwise nothing. ``budgets`` holds the sums, locked and changed in the same transaction, so that the check
"does the next order still fit" is safe for any number of threads, processes and machines. Orders that are
sent or settled at the same time share a transaction (``group_commit``). ``verify`` checks that the sums and
the files agree.

SQLite by default; PostgreSQL when its address is given.
"""

from tasks.ledger.batches import BatchRecord
from tasks.ledger.budgets import Limits, is_of_share, share_of
from tasks.ledger.latencies import RequestKind
from tasks.ledger.ledger import Ledger, has_ledger, open_existing_ledger, open_ledger
from tasks.ledger.order_rows import INTERRUPTED, OrderRecord, Settlement
from tasks.ledger.reconciliation import Reconciliation, Verdict
from tasks.ledger.runs import RunRecord

__all__ = [
    "INTERRUPTED",
    "BatchRecord",
    "Ledger",
    "Limits",
    "OrderRecord",
    "Reconciliation",
    "RequestKind",
    "RunRecord",
    "Settlement",
    "Verdict",
    "backups",
    "budgets",
    "copying",
    "database",
    "figures",
    "further_rounds",
    "has_ledger",
    "homes",
    "invitations",
    "is_of_share",
    "migrating",
    "monthly_limit",
    "open_existing_ledger",
    "open_ledger",
    "pictures",
    "pruning",
    "reading_back",
    "reconciliation",
    "replanning",
    "report_rows",
    "restoring",
    "runs",
    "schema",
    "share_of",
    "slots",
    "spending",
    "spending_limits",
    "strays",
    "verify",
]
