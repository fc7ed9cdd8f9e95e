"""The yardstick: a bare discord.py script that makes the same calls, and does nothing else."""

from __future__ import annotations

import base64
import io
import json
import os
import signal

import aiohttp
import discord
import yarl
from discord import app_commands


class Bare(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        self.api = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.tree.add_command(imagine)
        await self.tree.sync()


@app_commands.command()
async def imagine(interaction: discord.Interaction[Bare], prompt: str, count: int = 4) -> None:
    """Paint."""
    await interaction.response.defer(thinking=True)
    call = interaction.client.api.post(
        os.environ["TOGETHER_BASE_URL"] + "/v1/images/generations",
        headers={"Authorization": "Bearer " + os.environ["TOGETHER_API_KEY"]},
        json={
            "model": "black-forest-labs/FLUX.2-pro",
            "prompt": prompt,
            "n": count,
            "width": 1024,
            "height": 1024,
            "response_format": "base64",
        },
    )
    async with call as response:
        answer = json.loads(await response.read())
    files = [
        discord.File(io.BytesIO(base64.b64decode(item["b64_json"])), f"{n}.jpg", description=prompt)
        for n, item in enumerate(answer["data"])
    ]
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    await channel.send(f"`{prompt}` by {interaction.user.mention}", files=files)
    await interaction.delete_original_response()


if __name__ == "__main__":
    address = os.environ["WIRE_DISCORD"]
    signal.alarm(600)
    discord.http.Route.BASE = f"{address}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(
        f"{address.replace('http', 'ws', 1)}/gateway"
    )
    Bare().run(os.environ["DISCORD_TOKEN"], log_handler=None)
