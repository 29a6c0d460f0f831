"""Types of the flows' parameters for Prefect's UI; the flows' docstrings describe each one."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, WithJsonSchema

from tasks.campaign import Campaign

CampaignFile = Annotated[
    str | Path | Campaign,  # the UI and deployments give a file; Python may pass a built campaign
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["configs/campaigns/product-ad.yaml"]}),
]
RunId = Annotated[str, Field(pattern=r"^[0-9]{8}-[0-9]{6}-[a-z2-7]{4}$", examples=["20261122-060000-ab2c"])]
RunName = Annotated[str, Field(min_length=1, examples=["latest", "20261122-060000-ab2c"])]
