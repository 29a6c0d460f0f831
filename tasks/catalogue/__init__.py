"""The catalogue: models, prices, tokens, sizes and providers, as data with a source and a date."""

from tasks.catalogue.catalogue import (
    CATALOGUE_VARIABLE,
    Catalogue,
    configs_folder,
    load_catalogue,
    read_mapping,
)
from tasks.catalogue.model import Bought, Estimate, Model

__all__ = [
    "CATALOGUE_VARIABLE",
    "Bought",
    "Catalogue",
    "Estimate",
    "Model",
    "configs_folder",
    "estimates",
    "load_catalogue",
    "model",
    "prices",
    "providers",
    "read_mapping",
    "sizes",
]
