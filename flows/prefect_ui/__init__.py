"""What Prefect's pages show: artifacts, events, parameters and states of flow runs."""

__all__ = ["artifacts", "events", "flow_parameters", "flow_states"]
