"""The flows' parameters as Prefect's pages ask for them; the flows' docstrings say what each one means."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, WithJsonSchema

from tasks.campaign import Campaign

CampaignFile = Annotated[
    str | Path | Campaign,  # pages and deployments name a file; Python may hand over what it built
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["configs/campaigns/product-ad.yaml"]}),
]
RunId = Annotated[str, Field(pattern=r"^[0-9]{8}-[0-9]{6}-[a-z2-7]{4}$", examples=["20261122-060000-ab2c"])]
RunName = Annotated[str, Field(min_length=1, examples=["latest", "20261122-060000-ab2c"])]
