"""The floors among themselves, and the proof that the load generator outruns them."""

from collections.abc import Iterator

from benchmarks.paired import Bench
from benchmarks.report import Line, at_least, cost_of, rate_line, rate_of
from benchmarks.servers import canned, floor


def measure_floors(bench: Bench) -> Iterator[Line]:
    """Measure every floor with 64 clients."""
    with bench.stage() as (servers, folder):
        fixed = servers.enter_context(canned(folder / "canned"))
        fastapi = servers.enter_context(floor("fastapi_echo", folder / "fastapi"))
        starlette = servers.enter_context(floor("starlette_echo", folder / "starlette"))
        commit = servers.enter_context(floor("fastapi_commit", folder / "commit"))
        samples = bench.take_turns(
            canned=bench.writes(fixed, "/echo"),
            fastapi=bench.writes(fastapi, "/echo"),
            starlette=bench.writes(starlette, "/echo"),
            commit=bench.writes(commit, "/commit"),
        )
    yield rate_line(
        "floors",
        "fixed answer (load generator alone) against Starlette echo",
        {"floor": samples["starlette"], "ours": samples["canned"]},
        at_least(2),
    )
    for name, path in (
        ("fastapi", "bare FastAPI echo: the floor"),
        ("starlette", "bare Starlette and orjson echo"),
        ("commit", "bare FastAPI, one SQLite FULL commit each"),
    ):
        yield Line(
            id="floors",
            path=path,
            floor=rate_of(samples[name]),
            cost=cost_of(samples[name]),
            samples={name: samples[name]},
        )
