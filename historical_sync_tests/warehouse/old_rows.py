"""Rows for every table, as a team in the middle of its onboarding has them: what an upgrade must bring along."""

from datetime import UTC, date, datetime
from typing import Any

from psycopg2.extras import Json

Row = dict[str, Any]

AT = datetime(2025, 11, 20, 8, 30, tzinfo=UTC)
LATER = datetime(2025, 11, 23, 9, 15, tzinfo=UTC)
MONTH = date(2025, 11, 1)
PULL_REQUEST = {"team_id": "acme", "repository": "acme/api", "number": 7}
NUMBERS = {"value": 0.5, "n": 12}

ROWS: dict[str, list[Row]] = {
    "teams": [
        {
            "team_id": "acme",
            "generation": 2,
            "display_name": "Acme «Ltd»",
            "status": "active",
            "history_months": 3,
            "github_token_ref": "env:ACME_TOKEN",
            "created_at": AT,
            "onboarding_started_at": AT,
            "refresh_hours": 12,
        }
    ],
    "former_teams": [{"team_id": "gone", "generation": 4}],
    "tracked_repositories": [
        {
            "team_id": "acme",
            "repository": "acme/api",
            "node_id": "R_1",
            "current_name": "acme/api-renamed",
            "sync_status": "syncing",
            "sync_progress": 50,
            "sync_prs_total": 2,
            "sync_prs_completed": 1,
            "sync_started_at": AT,
            "recent_prs": 2,
            "added_at": AT,
        },
        {
            "team_id": "acme",
            "repository": "acme/web",
            "sync_status": "failed",
            "sync_error": "No access.",
            "added_at": AT,
        },
    ],
    "repository_months": [
        {
            "team_id": "acme",
            "repository": "acme/api",
            "month": MONTH,
            "expected": 1,
            "stored": 1,
            "status": "completed",
            "complete_as_of": LATER,
            "completed_at": LATER,
            "attempts": 2,
            "attempted_at": AT,
        },
        {"team_id": "acme", "repository": "acme/web", "month": MONTH, "status": "failed", "error": "No access."},
    ],
    "pull_requests": [
        PULL_REQUEST
        | {
            "node_id": "PR_7",
            "title": "Überarbeitet 100 %",
            "body": "Line one\nline two",
            "author_login": "ada",
            "author_type": "User",
            "state": "MERGED",
            "is_draft": False,
            "created_at": AT,
            "updated_at": LATER,
            "merged_at": LATER,
            "closed_at": LATER,
            "first_commit_at": AT,
            "merged_by": "grace",
            "additions": 10,
            "deletions": 2,
            "changed_files": 1,
            "head_ref": "claude/thing",
            "base_ref": "main",
            "labels": ["bug", "needs, care"],
            "assignees": ["ada"],
            "closing_issues": ["acme/api#3"],
            "commit_count": 1,
            "review_count": 1,
            "file_count": 1,
            "comment_count": 4,
            "is_partial": False,
            "is_automation": False,
            "fetched_at": LATER,
        }
    ],
    "pull_request_commits": [
        PULL_REQUEST
        | {
            "oid": "c0ffee",
            "position": 0,
            "message": "Add it\n\nCo-authored-by: Claude <noreply@anthropic.com>",
            "authored_at": AT,
            "committed_at": AT,
            "author_login": "ada",
            "author_name": "Ada",
            "author_email": "ada@example.com",
        }
    ],
    "pull_request_reviews": [
        PULL_REQUEST
        | {
            "review_id": "R1",
            "position": 0,
            "reviewer_login": "grace",
            "reviewer_type": "User",
            "state": "APPROVED",
            "submitted_at": LATER,
            "body": "",
        }
    ],
    "pull_request_files": [
        PULL_REQUEST
        | {"path": "src/thing.py", "position": 0, "additions": 10, "deletions": 2, "change_type": "MODIFIED"}
    ],
    "pull_request_index": [
        PULL_REQUEST
        | {"node_id": "PR_7", "state": "MERGED", "created_at": AT, "updated_at": LATER, "merged_at": LATER}
        | {"closed_at": LATER, "seen_at": LATER},
    ],
    "repository_walks": [
        {
            "team_id": "acme",
            "repository": "acme/api",
            "kind": "history",
            "started_at": AT,
            "cursor": "Y3Vyc29yOjE=",
            "frontier": AT,
            "nulls": 1,
        }
    ],
    "walk_holes": [
        {"team_id": "acme", "repository": "acme/api", "cursor": "Y3Vyc29yOjI=", "nulls": 1, "down_to": AT},
    ],
    "unwritten_answers": [
        {
            "team_id": "acme",
            "month": MONTH,
            "document": "d" * 64,
            "asked": "[]",
            "node_ids": ["PR_1"],
            "body": b"{}",
            "asked_at": AT,
            "answered_at": AT,
        }
    ],
    "ingestion_leases": [{"team_id": "acme", "month": MONTH, "holder": "host:1:run", "running_until": LATER}],
    "github_identities": [{"token_digest": "d" * 32, "identity": "ada", "seen_at": AT}],
    "github_budgets": [{"identity": "ada", "points_limit": 5000, "points_remaining": 12, "resets_at": LATER}],
    "github_stream_queue": [{"identity": "ada", "holder": "host:1", "asked_at": AT}],
    "github_streams": [{"identity": "ada", "slot": 0, "holder": "host:1", "expires_at": LATER}],
    "github_waits": [{"team_id": "acme", "holder": "host:1", "reason": "limit", "began_at": AT, "resume_at": LATER}],
    "ai_evidence": [
        PULL_REQUEST
        | {
            "signature_id": "claude-trailer",
            "source": "commit_trailer",
            "position": 0,
            "tool": "claude-code",
            "role": "author",
            "strength": "exact",
            "quote": "Co-authored-by: Claude",
            "ruleset_version": "0123456789ab",
        }
    ],
    "llm_batches": [
        {
            "batch_id": "batch_1",
            "team_id": "acme",
            "month": MONTH,
            "status": "in_progress",
            "digest": "abc",
            "model": "openai/gpt-oss-20b",
            "prompt_version": "p1",
            "requests": 1,
            "input_tokens": 900,
            "cost_usd": 0.125,
            "submitted_at": LATER,
        }
    ],
    "llm_classifications": [
        PULL_REQUEST
        | {
            "status": "classified",
            "is_ai_assisted": True,
            "tools": ["claude-code"],
            "usage_type": "assisted",
            "confidence": 0.9,
            "summary_title": "Adds it",
            "summary_type": "feature",
            "llm_summary": Json({"tech": {"languages": ["Python"]}}),
            "content_hash": "h1",
            "batch_id": "batch_0",
            "attempts": 1,
            "classified_at": LATER,
            "evidence_quote": "Co-authored-by: Claude",
        }
    ],
    "llm_intents": [
        {
            "intent_id": "i1",
            "team_id": "acme",
            "month": MONTH,
            "kind": "batch",
            "digest": "abc",
            "attempt": 1,
            "model": "openai/gpt-oss-20b",
            "prompt_version": "p1",
            "state": "submitted",
            "input_file_id": "file_1",
            "batch_id": "batch_1",
            "claimed_at": LATER,
            "next_attempt_at": LATER,
        }
    ],
    "llm_requests": [PULL_REQUEST | {"intent_id": "i1", "custom_id": "x1", "content_hash": "h2", "sent_at": LATER}],
    "llm_holds": [{"subject": "service", "code": "503", "reason": "Groq is away.", "since": LATER, "until": LATER}],
    "llm_changed_months": [{"team_id": "acme", "month": MONTH, "changed_at": LATER}],
    "monthly_trends": [
        {
            "team_id": "acme",
            "month": date(2025, 10, 1),
            "repository": "*",
            "metric": "ai_assisted_share",
            "segment": "*",
            "unit": "share",
            "is_enough": True,
            "is_complete": False,
            "computed_at": LATER,
            "is_open": False,
            "repositories": 2,
            "repositories_complete": 1,
        }
        | NUMBERS
    ],
    "metric_trends": [
        {
            "team_id": "acme",
            "repository": "*",
            "metric": "ai_assisted_share",
            "segment": "*",
            "as_of_month": date(2025, 10, 1),
            "change_previous": 0.25,
            "direction": "improving",
            "movement": "rising",
            "change_unit": "percentage points",
            "compared_with": "month",
            "months_used": 7,
            "is_open": False,
            "is_complete": False,
            "computed_at": LATER,
        }
        | NUMBERS
    ],
    "monthly_benchmarks": [
        {"month": MONTH, "metric": "ai_assisted_share", "team_size_bucket": "1-10", "teams": 6, "p50": 0.25}
    ],
    "benchmark_months": [{"month": MONTH, "is_stale": True}],
    "team_standings": [
        {"team_id": "acme", "month": date(2025, 10, 1), "metric": "ai_assisted_share"}
        | {"team_size_bucket": "1-10", "teams": 6, "value": 0.5, "better_than_share": 0.75}
    ],
    "team_roles": [{"role_name": "metabase_acme", "team_id": "acme"}],
    "team_months": [
        {
            "team_id": "acme",
            "month": MONTH,
            "attempts": 2,
            "attempted_at": AT,
            "next_attempt_at": LATER,
            "run_id": "r1",
            "asked_at": AT,
            "error": "acme/web: No access.",
        }
    ],
    "run_workers": [
        {"run_id": "r1", "team_id": "acme", "host": "host", "pid": 17, "process_started_at": 1.5, "seen_at": LATER}
    ],
    "alerts": [
        {"team_id": "acme", "key": "failure:1", "kind": "failure", "payload": Json({"cause": "No access."})}
        | {"created_at": AT, "next_attempt_at": LATER}
    ],
    "team_refreshes": [{"team_id": "acme", "begun_at": AT, "ended_at": LATER, "changed_months": 1}],
    "progress_marks": [
        {"team_id": "acme", "generation": 2, "repositories": 2, "history_months": 3, "percent": 41},
    ],
}
"""Table → its rows, in an order that foreign keys allow. Columns that a revision does not have are left out."""
