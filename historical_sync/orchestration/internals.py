"""Every call into Dagster that its documentation does not promise. Nothing else here imports `dagster._core`.

Pinned to Dagster 1.13 by a contract test: when an upgrade breaks one of these, the test names it. What is asked for,
and why there is no other way, stands with each function. Rules of ours live in the modules that call these.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    compute_logical_data_version,
    extract_data_version_from_entry,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, DagsterRun, RunRecord
from dagster._core.storage.tags import (
    AUTO_RETRY_RUN_ID_TAG,
    BACKFILL_ID_TAG,
    PRIORITY_TAG,
    SENSOR_NAME_TAG,
    WILL_RETRY_TAG,
)

__all__ = [
    "BACKFILL_ID_TAG",
    "PRIORITY_TAG",
    "DagsterRun",
    "QueuedRunCoordinator",
    "RunRecord",
    "SubmitRunContext",
]

UNFINISHED = tuple(NOT_FINISHED_STATUSES)
"""The statuses of a run that is queued, being started, at work or being cancelled."""

BUSY = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
AT_WORK = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
OPEN_BACKFILLS = (BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING)


@dataclass(frozen=True)
class OpenBackfill:
    """A backfill that is not over, and the partitions that it has not submitted yet."""

    backfill_id: str
    tags: Mapping[str, str]
    unsubmitted: tuple[str, ...]


def add_job_backfill(
    context: dg.SensorEvaluationContext,
    *,
    backfill_id: str,
    job_name: str,
    partition_keys: Sequence[str],
    title: str,
    description: str,
    tags: Mapping[str, str],
    created_at: datetime,
) -> bool:
    """Put a job backfill on the Backfills page; its runs are submitted in the given order. False if the id is taken.

    There is no public way to launch one from a sensor (dagster-io/dagster#13852, #27759). The id is unique in the
    database, so a second call with the same one cannot make a second backfill.
    """
    instance = context.instance
    if context.code_location_origin is None or context.repository_name is None:
        raise RuntimeError("A backfill can be launched only by a sensor that the daemon runs.")
    if instance.get_backfill(backfill_id) is not None:
        return False
    origin = RemoteRepositoryOrigin(context.code_location_origin, context.repository_name)
    instance.add_backfill(
        PartitionBackfill(
            backfill_id=backfill_id,
            status=BulkActionStatus.REQUESTED,
            from_failure=False,
            # The UI's "launched by": without it the backfill looks as if a person had started it.
            tags={**tags, SENSOR_NAME_TAG: context.sensor_name},
            backfill_timestamp=created_at.timestamp(),
            title=title,
            description=description,
            partition_set_origin=origin.get_partition_set_origin(f"{job_name}_partition_set"),
            partition_names=list(partition_keys),
        )
    )
    return True


def open_backfills(instance: dg.DagsterInstance) -> list[OpenBackfill]:
    """The job backfills that are not over. One that is being cancelled still owns what it has not submitted."""
    found = instance.get_backfills(filters=BulkActionsFilter(statuses=OPEN_BACKFILLS))
    return [_open_backfill(one) for one in found if one.partition_names]


def _open_backfill(backfill: PartitionBackfill) -> OpenBackfill:
    names = list(backfill.partition_names or ())
    last = backfill.last_submitted_partition_name
    submitted = names.index(last) + 1 if last in names else 0
    return OpenBackfill(backfill.backfill_id, backfill.tags, tuple(names[submitted:]))


def newest_backfill_tags(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> Mapping[str, str]:
    """The tags of the newest backfill that has all of these, or no tags."""
    found = instance.get_backfills(filters=BulkActionsFilter(tags=tags), limit=1)
    return found[0].tags if found else {}


def cancel_backfills(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> int:
    """Cancel the open backfills that have all of these tags: the daemon then submits nothing more of them."""
    found = instance.get_backfills(filters=BulkActionsFilter(tags=tags, statuses=[BulkActionStatus.REQUESTED]))
    for backfill in found:
        instance.update_backfill(backfill._replace(status=BulkActionStatus.CANCELING))
    return len(found)


def unfinished_runs(instance: dg.DagsterInstance, tags: Mapping[str, str] | None = None) -> list[RunRecord]:
    """The runs that are queued, starting, at work or being cancelled."""
    return list(instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED, tags=tags)))


def runs_with(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> list[DagsterRun]:
    """Every run that has all of these tags, finished or not."""
    return list(instance.get_runs(dg.RunsFilter(tags=tags)))


def runs_about_to_be_retried(instance: dg.DagsterInstance, since: datetime) -> list[DagsterRun]:
    """Runs that failed after `since` and that Dagster has said it will retry, but has not yet."""
    filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags={WILL_RETRY_TAG: "true"}, updated_after=since)
    return [run for run in instance.get_runs(filters) if AUTO_RETRY_RUN_ID_TAG not in run.tags]


def runs_by_tag(instance: dg.DagsterInstance, tag: str, values: Sequence[str]) -> dict[str, list[RunRecord]]:
    """For each of these values of a tag, the runs that have it, newest first."""
    found: dict[str, list[RunRecord]] = defaultdict(list)
    if values:
        for record in instance.get_run_records(dg.RunsFilter(tags={tag: list(values)})):
            found[record.dagster_run.tags[tag]].append(record)
    return found


def ended_at(record: RunRecord) -> datetime:
    """When a finished run ended; when it was last heard of, if nobody said."""
    if record.end_time is not None:
        return datetime.fromtimestamp(record.end_time, UTC)
    return record.update_timestamp.replace(tzinfo=UTC)


def will_be_retried(run: DagsterRun) -> bool:
    """Whether Dagster itself runs this failed run again."""
    return run.tags.get(WILL_RETRY_TAG) == "true"


def fail_run(instance: dg.DagsterInstance, run: DagsterRun, message: str) -> None:
    """Mark a run as failed whose process is gone, so that Dagster retries it. There is no public call for that."""
    instance.report_run_failed(run, message)


def cancel_run(instance: dg.DagsterInstance, run: DagsterRun, message: str) -> None:
    """Mark a run as cancelled that has no process: a queued one is then never started."""
    instance.report_run_canceled(run, message)


def announce_stop(instance: dg.DagsterInstance, run: DagsterRun, message: str) -> None:
    """Say that a run is being cancelled, so that the interruption that follows ends it as cancelled, not as failed."""
    instance.report_run_canceling(run, message)


def tag_run(instance: dg.DagsterInstance, run_id: str, tags: Mapping[str, str]) -> None:
    """Add tags to a run; they show in the run list within a second."""
    instance.add_run_tags(run_id, tags)


def report_materialization(
    instance: dg.DagsterInstance, materialization: dg.AssetMaterialization, run: DagsterRun | None = None
) -> None:
    """Store at once that a partition was built, by a run or by none.

    `context.log_event` would store it when the step ends: what follows in the same step could not point at it.
    """
    if run is None:
        instance.report_runless_asset_event(materialization)
        return
    event = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name=run.job_name,
        event_specific_data=StepMaterializationData(materialization),
    )
    instance.report_dagster_event(event, run.run_id)


def forget_events(instance: dg.DagsterInstance, run_ids: Sequence[str], ending: str) -> int:
    """Delete what outlives `delete_run`: the checks of these runs, and what no run reported of some partitions.

    They are those whose keys have this ending; a check names its partition in its metadata. Returns how many events and
    checks. There is no public call: wiping a partition is not implemented for PostgreSQL.
    """
    # Both bring SQLAlchemy.
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as checks
    from dagster._core.storage.event_log.schema import AssetEventTagsTable as tags
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as events
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"{type(storage).__name__} is no SQL storage: delete the events of these partitions by hand.")
    names_one = checks.c.evaluation_event.contains(f'{ending}"', autoescape=True)  # the quote ends a JSON string
    are_theirs = checks.c.run_id.in_(run_ids) | ((checks.c.run_id == "") & names_one)
    with storage.index_connection() as connection:
        their_events = checks.select().with_only_columns(checks.c.evaluation_event_storage_id).where(are_theirs)
        of_checks = [event_id for (event_id,) in connection.execute(their_events) if event_id is not None]
        is_one = events.c.partition.endswith(ending, autoescape=True)
        are_left = events.c.id.in_(of_checks) | ((events.c.run_id == "") & is_one)
        ids = events.select().with_only_columns(events.c.id).where(are_left)
        connection.execute(tags.delete().where(tags.c.event_id.in_(ids)))
        count: int = connection.execute(events.delete().where(are_left)).rowcount
        return count + int(connection.execute(checks.delete().where(are_theirs)).rowcount)


def provenance(
    instance: dg.DagsterInstance, spec: dg.AssetSpec, partition_key: str, default_version: str
) -> dict[str, str]:
    """The tags by which Dagster later sees that code or inputs changed; it adds them only in an asset's own step.

    `default_version` stands for the code's version of an asset that has none: something new each time.
    """
    version = spec.code_version or default_version
    tags, inputs = {CODE_VERSION_TAG: version}, {}
    for dependency in spec.deps:
        key = dependency.asset_key
        record = instance.get_latest_data_version_record(key, partition_key=partition_key)
        found = extract_data_version_from_entry(record.event_log_entry) if record else None
        inputs[key] = found or DEFAULT_DATA_VERSION
        tags[get_input_data_version_tag(key)] = inputs[key].value
        tags[get_input_event_pointer_tag(key)] = str(record.storage_id) if record else NULL_EVENT_POINTER
    tags[DATA_VERSION_TAG] = compute_logical_data_version(version, inputs).value
    return tags


def seconds_since_start(record: RunRecord) -> float:
    """How long ago a run's process began, or the run was made if it never did."""
    return time.time() - (record.start_time or record.create_timestamp.timestamp())


def daemon_status(instance: dg.DagsterInstance) -> list[tuple[str, bool, datetime | None]]:
    """Each daemon that this instance needs: name, whether it is healthy, when it was last heard of."""
    from dagster._daemon.controller import get_daemon_statuses  # brings the whole daemon, its storage and alembic

    found = get_daemon_statuses(instance, daemon_types=instance.get_required_daemon_types())
    return [
        (name, bool(one.healthy), _heard_at(one.last_heartbeat.timestamp if one.last_heartbeat else None))
        for name, one in sorted(found.items())
    ]


def _heard_at(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
