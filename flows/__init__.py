"""In which order the steps run, and the doors: the command, the schedules, the review page."""
