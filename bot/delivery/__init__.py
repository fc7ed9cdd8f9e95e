"""How results, ballots, and all that is said of them, reach people."""

from bot.delivery.ballots import DiscordPresenter
from bot.delivery.results import DiscordDelivery

__all__ = ["DiscordDelivery", "DiscordPresenter"]
