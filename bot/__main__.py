"""The command line: `python -m bot run | demo | migrate`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import suppress

from bot import app, logs, memory, settings
from bot.errors import EaselError


def main() -> int:
    """Runs a command; 0 when all went well, 1 when it failed, 2 when settings are wrong."""
    parser = argparse.ArgumentParser("python -m bot", description="Easel, a painting Discord bot.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="the bot on Discord, from the settings in .env")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    demo = commands.add_parser("demo", help="a first try in the browser; needs no keys")
    demo.add_argument("--once", action="store_true", help="play the tour alone, then exit")
    demo.add_argument("--port", type=int, help="where the page is served")
    chosen = parser.parse_args()
    try:
        with suppress(KeyboardInterrupt):
            return _demo(chosen) if chosen.command == "demo" else _bot(chosen.command)
    except settings.SettingsError as error:
        print(error.sentence, file=sys.stderr)  # noqa: T201 - the command line's own voice
        return 2
    except EaselError as error:
        print(error.operator or error.sentence, file=sys.stderr)  # noqa: T201 - likewise
        return 1
    return 0


def _bot(command: str) -> int:
    loaded = settings.load()
    logs.configure(loaded.log_level, loaded.log_format, loaded.secrets)
    memory.return_what_is_freed()
    memory.collect_seldom()
    asyncio.run(app.run(loaded) if command == "run" else app.migrate(loaded))
    return 0


def _demo(chosen: argparse.Namespace) -> int:
    # Imported here, since the demo's own packages are not needed to run the bot.
    from bot.demo.show import demo  # noqa: PLC0415

    return asyncio.run(demo(once=chosen.once, port=chosen.port))


if __name__ == "__main__":
    sys.exit(main())
