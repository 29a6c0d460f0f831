"""The Batch lane: orders handed over in files at half the price, and collected within a day.

``lane`` takes orders through the steps that the ledger keeps for a batch, ``vendor`` makes the calls,
``lines`` writes and reads the files, ``uploads`` hands over the pictures sent along, ``collecting`` settles
what came back. No step holds a worker: whoever resumes the run goes on where the ledger says.
"""

__all__ = ["lane", "settler"]
