"""What is found out and decided about a run's pictures without buying anything; no Prefect."""
