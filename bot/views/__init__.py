"""Everything people see or press, one file a feature."""

from bot.views.buttons import Delete, Pick, Reroll
from bot.views.history import ShowMenu, Turn
from bot.views.panel import Details, PostAlone
from bot.views.waiting import Cancel

#: Every item that must work after a restart; the client registers them all.
PERSISTENT = (Pick, Reroll, Delete, PostAlone, Details, Turn, ShowMenu, Cancel)
