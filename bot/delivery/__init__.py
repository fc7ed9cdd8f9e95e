"""How results, and all that is said of them, reach people."""

from bot.delivery.results import DiscordDelivery

__all__ = ["DiscordDelivery"]
