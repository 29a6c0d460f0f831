"""Cached cost estimates: computed once for equal requests, however many are planned."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.catalogue.catalogue import Catalogue, Estimate
from tasks.catalogue.prices import Lane
from tasks.catalogue.providers import Provider, Providers
from tasks.order import Reference


class Estimates:
    """Estimates for one provider: equal requests with equally long prompts cost the same.

    Args:
        catalogue: Models and prices.
        provider: The provider.
        providers: All providers, where arms or finals may be bought from others.
    """

    def __init__(self, catalogue: Catalogue, provider: Provider, providers: Providers | None = None) -> None:
        self.catalogue = catalogue
        self.provider = provider
        self._providers = providers
        self._known: dict[object, Estimate] = {}

    def at(self, name: str) -> "Estimates":
        """Return the estimates for another provider; they share what is known, and the notes.

        Raises:
            SettingError: There is no such provider.
        """
        if self._providers is None or name == self.provider.name:
            return self
        other = Estimates(self.catalogue, self._providers.provider(name), self._providers)
        other._known = self._known
        return other

    def of(
        self,
        parameters: Mapping[str, Any],
        prompt: str,
        references: Sequence[Reference] = (),
        lane: Lane = "interactive",
    ) -> Estimate:
        """Estimate a request; see ``Model.estimate_usd``.

        Args:
            parameters: The request's fields other than the prompt, as sent.
            prompt: The rendered text.
            references: Pictures sent along.
            lane: ``interactive`` or ``batch``.

        Raises:
            CatalogueError: The request has faults, or no published price.
        """
        sizes = tuple((reference.width, reference.height) for reference in references)
        fields = tuple((name, repr(value)) for name, value in parameters.items())
        key = (self.provider.name, fields, len(prompt), len(prompt.encode()), sizes, lane)
        if key not in self._known:
            model = self.catalogue.model(str(parameters["model"]))
            self._known[key] = model.estimate_usd(
                parameters, prompt, references, lane=lane, provider=self.provider
            )
        return self._known[key]

    @property
    def notes(self) -> list[str]:
        """Why some estimates are uncertain, each reason once."""
        return list(dict.fromkeys(estimate.note for estimate in self._known.values() if estimate.note))
