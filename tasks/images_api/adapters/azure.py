"""Azure's deployment route: the vendor's Images API, with the model in the path and not in the body.

The provider's address ends in ``/openai``; ``api-version`` is one of its ``query``, and ``api-key`` of its
``headers``. A body that names the model too is refused there. Azure's v1 address needs none of this. Source:
MicrosoftDocs/azure-ai-docs, dall-e.md (2026-04-17); BerriAI/litellm issue 26316 (2026).
"""

from typing import Any
from urllib.parse import quote

from openai import AsyncOpenAI

from tasks.images_api.adapters.json_request import Fields


def at_deployment(client: AsyncOpenAI, fields: Fields) -> tuple[AsyncOpenAI, dict[str, Any]]:
    """Return a client at the address of a model's deployment, and the fields without the model.

    Args:
        client: The provider's client.
        fields: Those of a request; ``model`` is the deployment's name.
    """
    kept = dict(fields)
    address = str(client.base_url).rstrip("/")
    name = quote(str(kept.pop("model")), safe="")
    return client.with_options(base_url=f"{address}/deployments/{name}", max_retries=0), kept
