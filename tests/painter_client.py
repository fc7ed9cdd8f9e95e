"""A plain client of the sandbox painter, for its tests."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import aiohttp
from PIL import Image

from bot.demo.canvas import paint

PRO = "black-forest-labs/FLUX.2-pro"
SCHNELL = "black-forest-labs/FLUX.1-schnell"
KONTEXT = "black-forest-labs/FLUX.1-kontext-pro"
FLASH = "google/flash-image-2.5"
GENERATIONS = "/v1/images/generations"
_PATIENCE = aiohttp.ClientTimeout(total=20)
_SMALL = {"width": 256, "height": 256}


class Reply:
    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.json["error"]["message"]

    def pictures(self) -> list[Image.Image]:
        data = [base64.b64decode(item["b64_json"], validate=True) for item in self.json["data"]]
        return [Image.open(BytesIO(picture)) for picture in data]


async def generate(session: aiohttp.ClientSession, **fields: object) -> Reply:
    body = {"model": PRO, "prompt": "a fox", "response_format": "base64", **_SMALL, **fields}
    given = {name: value for name, value in body.items() if value is not ...}
    async with session.post(GENERATIONS, json=given, timeout=_PATIENCE) as response:
        return Reply(response, await response.read())


async def get(session: aiohttp.ClientSession, path: str, **options: Any) -> Reply:
    async with session.get(path, timeout=_PATIENCE, **options) as response:
        return Reply(response, await response.read())


def data_uri(width: int = 320, height: int = 200, prompt: str = "a boat") -> str:
    data = paint(prompt, width=width, height=height, seed=1, index=0, image_format="jpeg")
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
