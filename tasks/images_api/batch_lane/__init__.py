"""The Batch lane: orders submitted in files at half the price, and collected within a day.

``lane`` takes batches through the states recorded in the ledger, ``batch_client`` makes the calls, ``lines``
writes and reads the files, ``uploads`` uploads references and masks, ``settler`` settles the results, and
``rejection`` reads why a whole file was rejected. No step blocks a worker: a resumed run continues from the
state in the ledger.
"""

__all__ = ["lane", "settler"]
