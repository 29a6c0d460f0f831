"""What Prefect's pages show: artifacts, events, parameters and states of flow runs."""
