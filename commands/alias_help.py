"""What help says of a team's aliases."""

from collections.abc import Sequence

from commands import blocks
from commands.alias_book import book_of
from commands.alias_lines import is_claimed
from commands.alias_views import fixed_line, view_of, written
from commands.context import Context
from commands.names import index_of
from core.aliases.formats import folded
from core.aliases.model import Alias
from core.kernel.reply import Code, Reply, Text

_MOST_SHOWN = 8


def overview(ctx: Context) -> Sequence[Text]:
    """List how the team's own are written, on one line; nothing without any."""
    if not ctx.principal.linked:
        return ()
    index, book = index_of(ctx.registry), book_of(ctx.tx)
    usable = [each for each in book if not is_claimed(index, each.pattern.first)]
    displays = [f"`{each.format.shown}`" for each in usable]
    if not displays:
        return ()
    more = " … `alias list` shows all." if len(displays) > _MOST_SHOWN else ""
    return (Text(md=f"Your team's own: {', '.join(displays[:_MOST_SHOWN])}{more}"),)


def find(ctx: Context, topic: Sequence[str]) -> Reply | None:
    """Explain the alias of a name, or that begins with a word; None for neither."""
    if not ctx.principal.linked or len(topic) != 1:
        return None
    word = folded(topic[0])
    named = {
        each.alias.name: each.alias
        for each in book_of(ctx.tx)
        if word in (each.alias.name, each.pattern.first)
    }
    alias = named.get(word) or next(iter(named.values()), None)
    return _explained(ctx, alias) if alias else None


def _explained(ctx: Context, alias: Alias) -> Reply:
    """Explain one: how it is written, what it stands for, what is in its way."""
    definition = alias.definition
    data = view_of(alias, index_of(ctx.registry))
    what = definition.description or f"your team's own for {definition.command}"
    return Reply(
        summary=f"{alias.name}: {what}"[:150],
        blocks=(
            Code(text=written(definition), lang="text"),
            blocks.fields(
                ("command", definition.command),
                ("fixed", fixed_line(definition.fixed)),
                ("made by", alias.created_by),
                ("problem", data["problem"]),
            ),
            Text(md="Quote a value that has spaces, or that is a word of the format."),
        ),
        data=data,
    )
