"""A Discord on loopback: its REST and its gateway, spoken to a bot in a process of its own.

`server` is Discord, `people` are those who use it, `faults` is what goes wrong, and `launch`
starts the bot as anybody would, with no change but the addresses (`bootstrap`) and, where links
are followed, what is behind them (`internet`).
`python -m wire.server --help`, run in `tests`, serves it alone, for benchmarks.
"""
