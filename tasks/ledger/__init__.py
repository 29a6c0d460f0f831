"""The ledger: the database of runs, orders, candidates and scores. The truth; all else is derived.

An order is written before it is sent and settled after its bytes are safe on disk, so that whatever
happens in between (a crash, a kill, a full disk) the ledger never knows less than the provider's bill.
``orders.charged_nanousd`` is what an order weighs on its budgets right now: its estimate while it is sent
or unknown, its cost once received, nothing otherwise. ``budgets`` holds the sums of it, changed in the
same transaction, so that the check "does the next order still fit" is one conditional update that holds
for any number of threads, processes and machines. ``verify`` proves that the sums and the files agree.

SQLite by default, PostgreSQL by address.
"""

from tasks.ledger.batches import BatchRecord
from tasks.ledger.budgets import Limits
from tasks.ledger.ledger import Ledger, has_ledger, open_ledger
from tasks.ledger.order_rows import OrderRecord, Settlement
from tasks.ledger.reconciliation import Reconciliation, Verdict
from tasks.ledger.runs import RunRecord

__all__ = [
    "BatchRecord",
    "Ledger",
    "Limits",
    "OrderRecord",
    "Reconciliation",
    "RunRecord",
    "Settlement",
    "Verdict",
    "budgets",
    "database",
    "has_ledger",
    "monthly_limit",
    "open_ledger",
    "pictures",
    "pruning",
    "reconciliation",
    "replanning",
    "report_rows",
    "runs",
    "schema",
    "slots",
    "spending",
    "verify",
]
