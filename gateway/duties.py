"""What a gateway does by itself, beside answering."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from gateway.demo import Demo
from gateway.flags import FlagFile
from gateway.graph import Graph
from gateway.intake import DRAIN_EVERY
from gateway.plugins.plugins import EVERY as PLUGINS_EVERY
from gateway.queue_watch import QueueWatch
from gateway.schedules import Scheduler
from gateway.simulators import DemoPeople
from gateway.supervisor import Loop, Ticker
from gateway.sweeper import Sweeper


def loops_of(graph: Graph) -> Sequence[Loop]:
    """List what goes on for ever: listening, delivering, reacting."""
    loops = [
        Loop(name=door.spec.name, work=door.channel.run)
        for door in graph.doors
        if door.channel is not None
    ]
    loops.extend(graph.outward.loops())
    hurry = partial(graph.outward.triggers.hurry, graph.intake.drain)
    loops.append(Loop(name="trigger-fires", work=hurry))
    loops.extend(graph.hosts.loops())
    if graph.simulators is not None:
        loops.append(Loop(name="simulators", work=graph.simulators.run))
    return loops


def tickers_of(graph: Graph) -> Sequence[Ticker]:
    """List what is due now and then, and how often."""

    async def fold_floods() -> None:
        graph.pipeline.floods.tick()

    flags = FlagFile(graph.settings.flags_file)
    demo = Demo(graph.db, graph.pipeline, flags=flags, clock=graph.clock)
    leads = graph.hosts.leaders.leads
    scheduler = Scheduler(
        graph.db, flags, drain=graph.intake.drain, leads=partial(leads, "scheduler")
    )
    sweeper = Sweeper(graph.db, flags, leads=partial(leads, "sweeper"))
    second = timedelta(seconds=1)
    return [
        *_demo_people(graph, flags),
        *graph.outward.tickers(),
        Ticker(name="channel-states", work=graph.core.channels.reload, every=second),
        Ticker(name="aliases", work=graph.core.aliases.reload, every=second),
        Ticker(name="intake", work=graph.intake.drain, every=DRAIN_EVERY),
        Ticker(name="plugins", work=graph.plugins.look, every=PLUGINS_EVERY),
        Ticker(name="sockets", work=graph.sockets.recheck, every=5 * second),
        Ticker(name="floods", work=fold_floods, every=5 * second),
        Ticker(name="mirror", work=graph.mirror.tick, every=second / 20),
        Ticker(name="scheduler", work=scheduler.tick, every=second),
        Ticker(name="sweeper", work=sweeper.sweep, every=second),
        Ticker(
            name="queue",
            work=QueueWatch(graph.db, graph.core.metrics).look,
            every=5 * second,
        ),
        Ticker(name="demo", work=demo.fill, every=5 * second),
        Ticker(name="tails", work=graph.tails.pump, every=second / 1000),
        Ticker(name="streams", work=graph.streams.beat, every=second),
        Ticker(name="stream-rights", work=graph.streams.recheck, every=20 * second),
    ]


def _demo_people(graph: Graph, flags: FlagFile) -> Sequence[Ticker]:
    """Bring in those who use the simulators."""
    if graph.simulators is None:
        return ()
    people = DemoPeople(
        graph.db, graph.pipeline, graph.simulators, flags=flags, clock=graph.clock
    )
    each = timedelta(seconds=5)
    return (Ticker(name="demo-people", work=people.settle, every=each),)
