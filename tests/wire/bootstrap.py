"""Runs `python -m bot …` with Discord's addresses pointed at WIRE_DISCORD, and nothing else.

`python tests/wire/bootstrap.py run`, in any folder: the data may be elsewhere than the checkout.
With WIRE_KILL, it dies where that file says; see killing.py. With WIRE_INTERNET, `<port> <port>
<seconds>`, there is a web; see internet.py.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path

import internet
import killing


def main() -> None:
    # As `python -m bot` has it in the checkout; the modules of this folder are not the bot's.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    address = os.environ.pop("WIRE_DISCORD")
    # Whatever becomes of the one who started it, it ends.
    signal.alarm(int(os.environ.pop("WIRE_LIFE_S", "600")))
    _point_at(address)
    if file := os.environ.pop("WIRE_KILL", None):
        killing.install(Path(file))
    if told := os.environ.pop("WIRE_INTERNET", None):
        web, inside, patience_s = told.split()
        internet.install(int(web), int(inside), patience_s=float(patience_s))
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


def _point_at(address: str) -> None:
    import discord.asset  # noqa: PLC0415 - after the path is right
    import discord.gateway  # noqa: PLC0415
    import discord.http  # noqa: PLC0415
    import yarl  # noqa: PLC0415

    discord.http.Route.BASE = f"{address}/api/v10"
    discord.asset.Asset.BASE = f"{address}/cdn"
    gateway = yarl.URL(f"{address.replace('http', 'ws', 1)}/gateway")
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway


if __name__ == "__main__":
    main()
