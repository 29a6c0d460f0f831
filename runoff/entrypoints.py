"""The entrypoints of the flows for Prefect's deployments.

Prefect puts the working folder first on the path while it imports an entrypoint; this module imports
Runoff's ``flows`` even if that folder has another one.
"""

from flows.promote import promote
from flows.prototype import prototype

__all__ = ["promote", "prototype"]
