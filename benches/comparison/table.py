"""Rows of the table: what is asked, what was seen, whether it holds."""

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Figure:
    """One line of the table."""

    name: str
    target: str
    ours: str
    against: str = "—"
    ratio: str = "—"
    holds: bool | None = None
    notes: list = field(default_factory=list)

    def line(self):
        verdict = {True: "yes", False: "**no**", None: "—"}[self.holds]
        return f"| {self.name} | {self.target} | {self.ours} | {self.against} | {self.ratio} | {verdict} |"


HEAD = "| path | at least | entrepot | against | ratio (lowest … highest of the rounds) | holds |\n|---|---|---|---|---|---|"


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def rate(value):
    return f"{value:,.0f}/s" if value >= 100 else f"{value:.1f}/s"


def megabytes(value):
    return f"{value / 1e6:,.0f} MB/s"


def interleaved(rounds, **measures):
    """Runs each measure once in every round, one after the other: A B A B. The loads by name."""
    loads = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            loads[name].append(measure())
    return loads


def compare(name, target, factor, ours, theirs, peer, by="rate", show=rate):
    """A line that says how many times `theirs` is `ours`, round by round. It holds by the median."""
    of_ours = [getattr(load, by) for load in ours]
    of_theirs = [getattr(load, by) for load in theirs]
    ratios = sorted(mine / other for mine, other in zip(of_ours, of_theirs))
    mine, other = ours[len(ours) // 2], theirs[len(theirs) // 2]
    details = lambda load, values: (
        f"{show(median(values))}"
        + (f", p50 {milliseconds(load.p50)}, p99 {milliseconds(load.p99)}" if load.p99 else "")
        + (f", {load.cpu * 1e6:,.0f} µs of processor" if load.cpu else "")
    )
    middle = median(ratios)
    return Figure(
        name,
        target,
        details(mine, of_ours),
        f"{peer}: {details(other, of_theirs)}",
        f"{middle:.2f} ({ratios[0]:.2f} … {ratios[-1]:.2f})",
        middle >= factor,
    )
