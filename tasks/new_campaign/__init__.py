"""A new campaign file: from a template, or from prompts and variables that somebody already has."""

__all__ = ["collected", "prompt_files", "promptfoo", "templates", "written"]
