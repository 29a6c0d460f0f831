"""The flows, where Prefect's deployments find them.

Prefect puts the working folder first on the path while it imports an entrypoint; by way of ``runoff`` it
reaches Runoff's ``flows`` even where that folder holds another one.
"""

from flows.promote import promote
from flows.prototype import prototype

__all__ = ["promote", "prototype"]
