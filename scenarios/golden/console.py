"""What ``rehearse golden`` tells a person."""

import json
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scenarios.console import counted
from scenarios.golden.agreement import Agreement, Difference, Grade, Verdict

_MARKS = {Verdict.EXACT: "=", Verdict.RACE: "~", Verdict.DIFFERS: "≠", Verdict.ABSENT: "·"}
_STYLES = {Verdict.EXACT: "green", Verdict.RACE: "yellow", Verdict.DIFFERS: "bold red", Verdict.ABSENT: "dim"}
_LEGEND = (
    "= as recorded   ~ as recorded but for a documented race   ≠ differs   · not recorded\n"
    "plays: how many it took until one agreed; the first has caches that are never late"
)
_WIDTH = 120  # of output that goes to no terminal
_VALUE_MAX = 600


def open_console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def tell(console: Console, agreements: Sequence[Agreement]) -> None:
    """Tables by version, the first difference of each recording that has one, and the summary."""
    grades = [grade for grade in Grade if any(grade in one.verdicts for one in agreements)]
    for version in dict.fromkeys(one.version for one in agreements):
        console.print(_table(version, [one for one in agreements if one.version == version], grades))
    console.print(Text(_LEGEND, style="dim"))
    for agreement in sorted(agreements, key=lambda one: one.verdict is Verdict.DIFFERS):
        if agreement.verdict is not Verdict.EXACT:
            console.print()
            console.print(_explained(agreement))
    console.print()
    console.print(_summary(agreements, grades))


def _table(version: str, agreements: Sequence[Agreement], grades: Sequence[Grade]) -> Table:
    table = Table(
        title=f"Tekton {version}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE,
        padding=0,  # so that all columns fit beside the longest name
        pad_edge=False,
    )
    table.add_column("scenario", no_wrap=True)
    for grade in grades:
        table.add_column(grade.value, justify="center")
    table.add_column("plays", justify="right")
    for one in agreements:
        if one.unplayable:
            cells = [Text(_MARKS[Verdict.DIFFERS], style=_STYLES[Verdict.DIFFERS])] * len(grades)
            table.add_row(one.scenario, *cells, "none")
        else:
            marks = [one.verdicts.get(grade, Verdict.ABSENT) for grade in grades]
            cells = [Text(_MARKS[mark], style=_STYLES[mark]) for mark in marks]
            table.add_row(one.scenario, *cells, str(one.plays))
    return table


def _explained(agreement: Agreement) -> RenderableType:
    verdict = agreement.verdict
    title = Text(f"{_MARKS[verdict]} {agreement.version} {agreement.scenario}", style=_STYLES[verdict])
    if agreement.unplayable:
        return Text.assemble(title, ": cannot be played: ", agreement.unplayable)
    counts_too = verdict is Verdict.DIFFERS
    shown = [one for one in agreement.differences if counts_too or one.grade is not Grade.CALLS]
    first = shown[0]
    more = f", and {counted(len(shown) - 1, 'difference')} more" if len(shown) > 1 else ""
    race = f" ({first.race})" if first.race else ""
    head = Text.assemble(title, f": {first.grade}{race}{more}")
    return Group(head, Padding(Text(f"{first.subject}, {first.place}"), (0, 0, 0, 2)), _side_by_side(first))


def _side_by_side(difference: Difference) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("recorded", ratio=1, overflow="fold")
    table.add_column("simulated", ratio=1, overflow="fold")
    table.add_row(_value(difference.recorded), _value(difference.simulated))
    return Padding(table, (0, 0, 0, 4))


def _value(value: Any) -> Text:
    """Untrusted text: bounded, without control characters, never markup."""
    if value is None:
        return Text("(nothing)", style="dim")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(character if character.isprintable() or character == "\n" else "�" for character in text)
    return Text(text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]} … ({len(text):,} characters)")


def _summary(agreements: Sequence[Agreement], grades: Sequence[Grade]) -> RenderableType:
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    for title in ("", "as recorded", "but for a race", "differ", "compared"):
        table.add_column(title, justify="left" if not title else "right")
    for grade in grades:
        found = [
            one.verdicts.get(grade, Verdict.ABSENT) if not one.unplayable else Verdict.DIFFERS for one in agreements
        ]
        compared = [verdict for verdict in found if verdict is not Verdict.ABSENT]
        table.add_row(grade.value, *_shares(compared))
    table.add_row("all of them", *_shares([one.verdict for one in agreements]))
    return Group(table, Text(""), Text(sentence(agreements), style="bold"))


def _shares(verdicts: Sequence[Verdict]) -> list[str]:
    total = len(verdicts) or 1
    shares = [verdicts.count(one) for one in (Verdict.EXACT, Verdict.RACE, Verdict.DIFFERS)]
    return [*(f"{100 * share / total:.1f} %" for share in shares), str(len(verdicts))]


def sentence(agreements: Sequence[Agreement]) -> str:
    """The result in one line."""
    verdicts = [one.verdict for one in agreements]
    exact, race = verdicts.count(Verdict.EXACT), verdicts.count(Verdict.RACE)
    later = sum(one.verdict is Verdict.EXACT and one.plays > 1 for one in agreements)
    unplayable = sum(bool(one.unplayable) for one in agreements)
    parts = [
        f"{exact} as recorded" + (f" ({later} of them not in the first play)" if later else ""),
        f"{race} but for a race",
        f"{len(verdicts) - exact - race - unplayable} differ",
    ]
    if unplayable:
        parts.append(f"{unplayable} cannot be played")
    total = len(verdicts) or 1
    return f"{counted(len(verdicts), 'recording')}: {', '.join(parts)}; {100 * (exact + race) / total:.1f} % agree"
