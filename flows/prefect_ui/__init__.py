"""Runoff in Prefect's UI: artifacts, events, parameters and states of flow runs."""

__all__ = [
    "artifacts",
    "automations",
    "cancellation",
    "events",
    "flow_names",
    "flow_parameters",
    "flow_states",
    "looked_after",
]
