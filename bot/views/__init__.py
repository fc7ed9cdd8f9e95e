"""Everything people see or press, one file a feature."""

from bot.views import suggesting
from bot.views.ballot import CastVote, CloseVote
from bot.views.base import Pages
from bot.views.buttons import Delete, Pick, Reroll
from bot.views.choosing import Choose
from bot.views.confirm import Leave, Paint
from bot.views.details import Details
from bot.views.edit_form import EditForm
from bot.views.editing import Edit, EditOne, UseAsReference, Vary, VaryAll
from bot.views.family import Back, Branch, FamilyTree
from bot.views.history import ShowMenu, Turn, show_result
from bot.views.panel import PostAlone, open_panel
from bot.views.proposal import StartVote
from bot.views.provenance import WhichDetails
from bot.views.remix import Remix, RemixForm
from bot.views.suggesting import GoOn, Suggest, SuggestForm, TakeOff
from bot.views.vote_form import OpenVote, VoteForm
from bot.views.waiting import Cancel
from bot.views.winner import HowDecided

#: Every item that must work after a restart; the client registers them all.
PERSISTENT = (
    Pick,
    Reroll,
    Delete,
    PostAlone,
    Details,
    Turn,
    ShowMenu,
    Cancel,
    Back,
    FamilyTree,
    Branch,
    Edit,
    EditOne,
    UseAsReference,
    Vary,
    VaryAll,
    WhichDetails,
    Choose,
    Remix,
    Paint,
    Leave,
    OpenVote,
    StartVote,
    CastVote,
    CloseVote,
    Suggest,
    suggesting.Back,
    TakeOff,
    GoOn,
    HowDecided,
)
#: What they lead to.
PAGES = Pages(panel=open_panel, result=show_result)
#: Every form that can be sent after a restart.
FORMS = (EditForm, RemixForm, VoteForm, SuggestForm)
