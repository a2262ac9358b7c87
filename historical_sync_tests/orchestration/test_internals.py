"""The contract with Dagster's undocumented parts: each thing that `internals` relies on still behaves as it says."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.dagster_run import DagsterRun

from historical_sync.orchestration import internals
from historical_sync.orchestration.partitions import key_of
from historical_sync.orchestration.resources import Pipeline
from historical_sync.window import months_wanted
from historical_sync_tests.orchestration.ticking import backfills, tick

NOW = datetime.now(UTC)
KEYS = [key_of("acme", month) for month in months_wanted(NOW, 12)]


def make_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, **tags: str) -> DagsterRun:
    return instance.add_run(
        DagsterRun(job_name="sync_month", status=status, tags={name.replace("__", "/"): tags[name] for name in tags})
    )


def register(pipeline: Pipeline) -> None:
    with pipeline.warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values ('acme')")
        tx.execute("insert into tracked_repositories (team_id, repository) values ('acme', 'acme/api')")


def test_the_version_is_the_one_this_was_tried_with() -> None:
    """An upgrade of Dagster is a decision: try these tests, then change this number."""
    assert dg.__version__.startswith("1.13.")


def test_a_backfill_comes_back_as_it_was_added(instance: dg.DagsterInstance, pipeline: Pipeline) -> None:
    """Id, title, order of partitions, tags and the job's partition set survive storage; an open one is found again."""
    register(pipeline)
    tick("onboard_teams", instance, pipeline)
    (stored,) = backfills(instance)
    assert stored.status == BulkActionStatus.REQUESTED
    assert stored.partition_set_origin is not None
    assert stored.partition_set_origin.partition_set_name == "sync_month_partition_set"
    assert stored.tags["historical_sync/team"] == "acme"
    (found,) = internals.open_backfills(instance)
    assert set(found.unsubmitted) <= set(KEYS)
    assert list(found.unsubmitted) == sorted(found.unsubmitted, reverse=True)


def test_what_a_backfill_has_submitted_is_no_longer_its_own(instance: dg.DagsterInstance, pipeline: Pipeline) -> None:
    """The daemon's checkpoint is the last partition that it submitted, in the order given."""
    register(pipeline)
    tick("onboard_teams", instance, pipeline)
    (stored,) = backfills(instance)
    names = list(stored.partition_names or ())
    instance.update_backfill(stored.with_partition_checkpoint(names[3]))
    (found,) = internals.open_backfills(instance)
    assert list(found.unsubmitted) == names[4:]


def test_cancelling_by_tag_cancels_only_that_team_s(instance: dg.DagsterInstance, pipeline: Pipeline) -> None:
    """Another team's backfill goes on; the cancelled one is still the owner of what it has not submitted."""
    register(pipeline)
    tick("onboard_teams", instance, pipeline)
    assert internals.cancel_backfills(instance, {"historical_sync/team": "other"}) == 0
    assert internals.cancel_backfills(instance, {"historical_sync/team": "acme"}) == 1
    assert backfills(instance)[0].status == BulkActionStatus.CANCELING
    assert len(internals.open_backfills(instance)) == 1


def test_runs_are_found_by_tag_newest_first(instance: dg.DagsterInstance) -> None:
    """One question for many partitions; runs of other partitions stay out."""
    old = make_run(instance, dg.DagsterRunStatus.FAILURE, dagster__partition=KEYS[0])
    new = make_run(instance, dg.DagsterRunStatus.NOT_STARTED, dagster__partition=KEYS[0])
    make_run(instance, dg.DagsterRunStatus.NOT_STARTED, dagster__partition=KEYS[1])
    found = internals.runs_by_tag(instance, "dagster/partition", [KEYS[0], KEYS[2]])
    assert [record.dagster_run.run_id for record in found[KEYS[0]]] == [new.run_id, old.run_id]
    assert KEYS[1] not in found
    assert KEYS[2] not in found


def test_a_failed_run_counts_as_in_hand_only_until_it_is_retried(instance: dg.DagsterInstance) -> None:
    """Promised and not yet done: in hand. Done, or never promised: not."""
    promised = make_run(instance, dg.DagsterRunStatus.FAILURE, dagster__will_retry="true")
    make_run(instance, dg.DagsterRunStatus.FAILURE, dagster__will_retry="false")
    since = datetime.now(UTC) - timedelta(minutes=2)
    assert [run.run_id for run in internals.runs_about_to_be_retried(instance, since)] == [promised.run_id]
    instance.add_run_tags(promised.run_id, {"dagster/auto_retry_run_id": "another"})
    assert internals.runs_about_to_be_retried(instance, since) == []


def test_runs_are_failed_cancelled_and_tagged(instance: dg.DagsterInstance) -> None:
    """Each call leaves the status, or the tag, that its name promises, and an end time that can be read."""
    lost = make_run(instance, dg.DagsterRunStatus.STARTED)
    internals.fail_run(instance, lost, "Its process is gone.")
    waiting = make_run(instance, dg.DagsterRunStatus.NOT_STARTED)
    internals.cancel_run(instance, waiting, "Nobody wants it.")
    internals.tag_run(instance, waiting.run_id, {"historical_sync/progress": "none"})
    failed, cancelled = (instance.get_run_record_by_id(run.run_id) for run in (lost, waiting))
    assert failed is not None
    assert cancelled is not None
    assert failed.dagster_run.status == dg.DagsterRunStatus.FAILURE
    assert cancelled.dagster_run.status == dg.DagsterRunStatus.CANCELED
    assert cancelled.dagster_run.tags["historical_sync/progress"] == "none"
    assert abs(internals.ended_at(failed) - datetime.now(UTC)) < timedelta(minutes=5)
    assert internals.unfinished_runs(instance) == []


def test_the_daemons_that_must_run_are_listed(instance: dg.DagsterInstance) -> None:
    """Without a daemon, each is unhealthy and was never heard of."""
    statuses = internals.daemon_status(instance)
    assert {"SENSOR", "SCHEDULER", "BACKFILL", "QUEUED_RUN_COORDINATOR", "MONITORING"} <= {
        name for name, *_ in statuses
    }
    assert all(not is_healthy and heard_at is None for _, is_healthy, heard_at in statuses)
