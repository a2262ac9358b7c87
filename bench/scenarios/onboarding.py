"""From the row in `teams` to the first month's trends, and to all thirteen months, under Dagster's real daemon.

The floor: a run of four empty assets, started by a sensor of its own in the same daemon for a row in a table, and the
requests to GitHub that the month needs, sent by a bare loop.
"""

from __future__ import annotations

from bench.ground import LATENCY, RecordingSandbox, bare_loop
from bench.installation import NOW, OURS, Installation, cpu_seconds, wait_until
from bench.rows import Row
from bench.seeding import Shape
from historical_sync.sandbox import scenario
from historical_sync.window import months_wanted

TITLE = "An onboarding"

BARE = "bench.bare_location"
FIRST_MONTH = 2.0
MONTHS = 13
PATIENCE_SECONDS = 3600.0


def run(rounds: int, quick: bool) -> list[Row]:
    """The first month several times, then whole histories of several sizes, then what a month costs in CPU."""
    sizes = (10,) if quick else (500, 5_000, 50_000)
    months = 2 if quick else MONTHS
    with RecordingSandbox(scenario.empty(), latency=LATENCY) as sandbox, Bench(sandbox) as bench:
        first = [bench.first_month(number) for number in range(rounds)]
        whole = [bench.whole_history(size, months) for size in sizes]
        events = [bench.events(job) for job in ("sync_month", "bare_month")]
    return [
        Row(
            "from the row to the first month's trends",
            "s",
            tuple(ours for ours, _ in first),
            tuple(floor for _, floor in first),
            "empty run and the requests",
            FIRST_MONTH,
        ),
        *(row for rows in whole for row in rows),
        Row("events in Dagster's storage for a run", "", (events[0],), (events[1],), "empty run"),
    ]


class Bench:
    """An installation with the daemon running both code locations."""

    def __init__(self, sandbox: RecordingSandbox) -> None:
        self._sandbox = sandbox
        self._installation = Installation(
            Shape(1, 1, 1), GITHUB_API_URL=sandbox.github_url, GROQ_BASE_URL=sandbox.groq_url, GROQ_API_KEY="bench"
        )

    def __enter__(self) -> Bench:
        self._installation.__enter__()
        self._warehouse = self._installation.pipeline.warehouse
        with self._warehouse.transaction() as tx:
            tx.execute("create table public.bare_wanted (team text, month date)")
            tx.execute("update teams set status = 'paused'")  # the seeded one: the sandbox does not know its repository
        self._running = self._installation.daemon(OURS, BARE)
        self._daemon = self._running.__enter__()
        self._empty_months("warm-up", 1)  # both locations are loaded when this is done
        self._team("warm-up", 1, 5)
        return self

    def __exit__(self, *error: object) -> None:
        self._running.__exit__(None, None, None)
        self._installation.__exit__(*error)

    def first_month(self, number: int) -> tuple[float, float]:
        """Seconds of ours and of the floor, in turn."""
        before = len(self._sandbox.bodies)
        ours = self._team(f"first-{number}", 1, 40)
        sent = self._sandbox.bodies[before:]
        return ours, self._empty_months(f"first-{number}", 1) + bare_loop(self._sandbox, sent)

    def whole_history(self, pull_requests: int, months: int) -> list[Row]:
        """A team of this size: seconds, and CPU of Dagster's processes and ours together for each month."""
        cpu = cpu_seconds(self._daemon)
        seconds = self._team(f"whole-{pull_requests}", months, pull_requests)
        cpu = cpu_seconds(self._daemon) - cpu
        before = cpu_seconds(self._daemon)
        floor = self._empty_months(f"whole-{pull_requests}", months)
        floor_cpu = cpu_seconds(self._daemon) - before
        what = f"{pull_requests:,} pull requests, {months} months"
        return [
            Row(f"{what}: from the row to the last trends", "s", (seconds,), (floor,), "empty runs"),
            Row(f"{what}: daemon, code servers and runs", "CPU s", (cpu,), (floor_cpu,), "empty runs"),
        ]

    def events(self, job: str) -> float:
        """How many events a successful run of this job leaves, on average."""
        with self._warehouse.transaction() as tx:
            return float(
                tx.value(
                    """
                    select count(*)::float / count(distinct run_id) from dagster.event_logs
                    join dagster.runs using (run_id) where pipeline_name = %s and status = 'SUCCESS'
                    """,
                    [job],
                )
            )

    def _team(self, name: str, months: int, pull_requests: int) -> float:
        """Register a team with a repository of its own and wait for its trends."""
        self._installation.register(self._sandbox, name, pull_requests, months)
        return wait_until(lambda: self._installation.published([name]) == months, None, PATIENCE_SECONDS)

    def _empty_months(self, name: str, months: int) -> float:
        with self._warehouse.transaction() as tx:
            tx.execute_values(
                "insert into public.bare_wanted values %s", [(name, month) for month in months_wanted(NOW, months - 1)]
            )
        return wait_until(lambda: self._empty_runs(name) == months, None, PATIENCE_SECONDS)

    def _empty_runs(self, team: str) -> int:
        with self._warehouse.transaction() as tx:
            found: int = tx.value(
                """
                select count(*) from dagster.event_logs
                where dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key = %s and partition like %s
                """,
                ['["bare_last"]', f"%|{team}"],
            )
            return found
