"""Every profile of the emulator, by its name."""

from tasks.emulator.other_protocols import (
    ChatImagesProfile,
    GeminiProfile,
    OpenRouterProfile,
    PredictionsProfile,
)
from tasks.emulator.provider_profiles import AzureProfile, GatewayProfile, RelayProfile, VendorProfile
from tasks.emulator.settings import ProfileName

PROFILES: dict[ProfileName, type[VendorProfile]] = {
    "openai": VendorProfile,
    "azure": AzureProfile,
    "cometapi": GatewayProfile,
    "relay": RelayProfile,
    "openrouter": OpenRouterProfile,
    "chat-images": ChatImagesProfile,
    "gemini": GeminiProfile,
    "predictions": PredictionsProfile,
}
