"""Errors that people read: five answers in one message, whole on the other side of a process too."""

import pickle
import shlex

from tasks.campaign_file.overrides import Overrides
from tasks.errors import CampaignError, CatalogueError, RunoffError


def test_a_message_answers_in_one_sequence() -> None:
    """Where and what, what is accepted, the money, the way out; what can be pasted gets no full stop."""
    error = RunoffError(where="a.yaml", what="is wrong!", accepted="a, b", next_step="Do: this")
    assert str(error) == "a.yaml: is wrong! Accepted: a, b. Nothing was bought. Do: this"


def test_an_error_crosses_a_process_boundary_whole() -> None:
    """Pickled and read again it is the same error, its own facts included."""
    error = CampaignError("otters.yaml", ["name: is missing", "arms: is empty"])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is CampaignError
    assert (str(again), again.__dict__) == (str(error), error.__dict__)
    assert "2 errors" in str(error)
    assert "1 error" in str(CampaignError("otters.yaml", ["name: is missing"]))


def test_a_command_can_be_pasted_whatever_the_file_is_called() -> None:
    """A name with a space or a dollar is one word of the shell."""
    name = "my otters $HOME.yaml"
    for command in (
        CampaignError(name, ["arms: is empty"]).next_step.partition("runoff ")[2],
        Overrides({"drafts.per_prompt": "2"}).describe(name),
    ):
        assert name in shlex.split(command)


def test_a_catalogue_error_can_be_told_with_its_file() -> None:
    """The place within the file gets the file's name; all else stays."""
    error = CatalogueError(where="drafts.model", what="is gone", accepted="x", money="m", next_step="n")
    assert str(error.at("otters.yaml")) == "otters.yaml: drafts.model: is gone. Accepted: x. m. n."
