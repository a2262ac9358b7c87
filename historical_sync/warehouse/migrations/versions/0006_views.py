"""What other programs read: schema `dashboard`, its roles, and row-level security on every table with a team."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HOURS = "(extract(epoch from {0})::double precision / 3600)"

PULL_REQUESTS = f"""
    create view dashboard.pull_requests with (security_invoker = true) as
    select
        p.team_id, p.repository, p.number, p.title, p.author_login, p.author_type, p.state, p.is_draft,
        p.created_at, p.ready_at, p.first_commit_at, review.first_review_at, p.merged_at, p.closed_at, p.updated_at,
        p.merged_by, p.additions, p.deletions, p.changed_files,
        p.additions + p.deletions as size_lines,
        case
            when p.additions + p.deletions <= 10 then 'xs'
            when p.additions + p.deletions <= 50 then 's'
            when p.additions + p.deletions <= 200 then 'm'
            when p.additions + p.deletions <= 500 then 'l'
            else 'xl'
        end as size_bucket,
        p.head_ref, p.base_ref, p.labels, p.milestone, p.commit_count, p.review_count, p.comment_count,
        p.is_partial, p.is_automation, p.is_revert, p.is_hotfix,
        review.reviews > 0 as is_reviewed,
        case when review.reviews > 0 then review.change_requests end as review_rounds,
        {HOURS.format("p.merged_at - p.created_at")} as cycle_time_hours,
        case
            when p.first_commit_at <= p.merged_at then {HOURS.format("p.merged_at - p.first_commit_at")}
        end as lead_time_hours,
        case
            when p.first_commit_at <= p.created_at then {HOURS.format("p.created_at - p.first_commit_at")}
        end as coding_time_hours,
        {HOURS.format("review.first_review_at - coalesce(p.ready_at, p.created_at)")} as pickup_time_hours,
        {HOURS.format("p.merged_at - review.first_review_at")} as review_time_hours,
        label.is_ai_assisted,
        label.ai_source,
        case label.ai_source
            when 'evidence' then coalesce(evidence.exact_tools, '{{}}')
            when 'llm' then case
                when label.is_ai_assisted then array(select distinct tool from unnest(llm.tools) tool order by 1)
                else '{{}}'
            end
            when 'mention' then evidence.mention_tools
            else '{{}}'
        end as ai_tools,
        coalesce(evidence.is_reviewed, false)
            or coalesce(llm.usage_type = 'reviewed' and label.has_llm_verdict, false) as ai_reviewed,
        coalesce(evidence.is_agent_authored, false) as is_agent_authored,
        coalesce(evidence.has_suggestion, false) as has_ai_suggestion,
        coalesce(llm.status, 'pending') as llm_status,
        llm.confidence as llm_confidence,
        case when llm.status = 'classified' then llm.summary_type end as pull_request_type,
        case
            when llm.status = 'classified' then array(
                select lower(name #>> '{{}}') from jsonb_path_query(llm.llm_summary, '$.tech.languages[*]') name
                union
                select lower(name #>> '{{}}') from jsonb_path_query(llm.llm_summary, '$.tech.frameworks[*]') name
                order by 1
            )
            else '{{}}'
        end as technologies,
        case when llm.status = 'classified' then llm.summary_title end as summary_title,
        case when llm.status = 'classified' then llm.llm_summary end as llm_summary
    from historical_sync.pull_requests p
    left join historical_sync.llm_classifications llm
        on llm.team_id = p.team_id and llm.repository = p.repository and llm.number = p.number
    left join lateral (
        select
            bool_or(e.role = 'author' and e.strength = 'exact') as has_exact,
            bool_or(e.role = 'author' and e.strength = 'mention') as has_mention,
            bool_or(e.role = 'reviewer') as is_reviewed,
            bool_or(e.role = 'suggestion') as has_suggestion,
            bool_or(e.role = 'author' and e.source = 'author' and e.strength = 'exact') as is_agent_authored,
            array_agg(e.quote) filter (where e.source = 'reviewer') as tool_accounts,
            array_agg(distinct e.tool) filter (where e.role = 'author' and e.strength = 'exact') as exact_tools,
            array_agg(distinct e.tool) filter (where e.role = 'author' and e.strength = 'mention') as mention_tools
        from historical_sync.ai_evidence e
        where e.team_id = p.team_id and e.repository = p.repository and e.number = p.number
    ) evidence on true
    left join lateral (
        select
            min(r.submitted_at) filter (where r.submitted_at >= coalesce(p.ready_at, p.created_at)) as first_review_at,
            count(*) as reviews,
            (count(*) filter (where r.state = 'CHANGES_REQUESTED'))::integer as change_requests
        from historical_sync.pull_request_reviews r
        where r.team_id = p.team_id and r.repository = p.repository and r.number = p.number
            and r.submitted_at <= coalesce(p.merged_at, 'infinity')
            and r.state <> 'PENDING'
            and r.reviewer_type is distinct from 'Bot'
            and right(lower(r.reviewer_login), 5) is distinct from '[bot]'
            and (r.reviewer_login = any (evidence.tool_accounts)) is not true
            and lower(r.reviewer_login) is distinct from lower(p.author_login)
    ) review on true
    cross join lateral (
        select
            case
                when evidence.has_exact then true
                when verdict.is_known then llm.is_ai_assisted
                when evidence.has_mention then true
                when llm.status in ('classified', 'unclassified') then false
            end as is_ai_assisted,
            case
                when evidence.has_exact then 'evidence'
                when verdict.is_known then 'llm'
                when evidence.has_mention then 'mention'
                when llm.status in ('classified', 'unclassified') then 'evidence'
                else 'pending'
            end as ai_source,
            verdict.is_known as has_llm_verdict
        from (
            select coalesce(
                llm.status = 'classified' and llm.is_ai_assisted is not null and llm.confidence >= 0.5, false
            ) as is_known
        ) verdict
    ) label
"""


MONTHLY_TRENDS = """
    create view dashboard.monthly_trends with (security_invoker = true) as
    select
        team_id, month, repository, metric, segment, value, n, unit, is_enough, is_complete, is_open,
        repositories, repositories_complete, same_days_value, same_days_n, same_days_year_value, same_days_year_n,
        computed_at
    from historical_sync.monthly_trends
"""

METRIC_TRENDS = """
    create view dashboard.metric_trends with (security_invoker = true) as
    select
        team_id, as_of_month, repository, metric, segment, value, n, previous_value, previous_n, change_previous,
        year_value, year_n, change_year, change_unit, compared_with, slope_per_month, p_value, months_used,
        movement, direction, is_open, is_complete, computed_at
    from historical_sync.metric_trends
"""

AI_COMPARISONS = """
    create view dashboard.ai_comparisons with (security_invoker = true) as
    select
        ai.team_id, ai.month, ai.repository, ai.metric, ai.unit,
        ai.value as ai_value, ai.n as ai_n, other.value as other_value, other.n as other_n,
        ai.n >= 10 and other.n >= 10 as is_comparable,
        matched_ai.value as ai_value_size_matched, matched_ai.n as ai_n_size_matched,
        matched_other.value as other_value_size_matched, matched_other.n as other_n_size_matched,
        coalesce(matched_ai.n >= 10 and matched_other.n >= 10, false) as is_size_matched_comparable,
        ai.is_complete, ai.is_open
    from historical_sync.monthly_trends ai
    join historical_sync.monthly_trends other using (team_id, month, repository, metric)
    left join historical_sync.monthly_trends matched_ai
        on (matched_ai.team_id, matched_ai.month, matched_ai.repository, matched_ai.metric, matched_ai.segment)
            = (ai.team_id, ai.month, ai.repository, ai.metric, 'ai:size_matched')
    left join historical_sync.monthly_trends matched_other
        on (matched_other.team_id, matched_other.month, matched_other.repository, matched_other.metric,
            matched_other.segment) = (ai.team_id, ai.month, ai.repository, ai.metric, 'other:size_matched')
    where ai.segment = 'ai' and other.segment = 'other' and ai.unit <> 'pull requests'
"""

BENCHMARKS = """
    create view dashboard.benchmarks with (security_invoker = true) as
    select month, metric, team_size_bucket, teams, p25, p50, p75, p90, computed_at
    from historical_sync.monthly_benchmarks
    where teams >= 5
"""

TEAM_STANDINGS = """
    create view dashboard.team_standings with (security_invoker = true) as
    select team_id, month, metric, team_size_bucket, teams, value, better_than_share, computed_at
    from historical_sync.team_standings
    where teams >= 5
"""

EVIDENCE = """
    create view dashboard.pull_request_evidence with (security_invoker = true) as
    select team_id, repository, number, tool, role, source, strength, quote, signature_id, position, ruleset_version
    from historical_sync.ai_evidence
"""

SYNC_PROGRESS = """
    create view dashboard.sync_progress with (security_invoker = true) as
    select
        r.team_id, r.repository, r.current_name, r.sync_status, r.sync_progress, r.sync_prs_total,
        r.sync_prs_completed, r.sync_started_at, r.sync_error, r.last_synced_at,
        month.begun as months_begun, month.completed as months_completed, month.partial as months_partial,
        month.failed as months_failed, month.oldest_completed as oldest_completed_month,
        llm.classified as llm_classified, llm.pending as llm_pending, llm.unclassified as llm_unclassified
    from historical_sync.tracked_repositories r
    cross join lateral (
        select
            count(*)::integer as begun,
            (count(*) filter (where m.status = 'completed'))::integer as completed,
            (count(*) filter (where m.status = 'partial'))::integer as partial,
            (count(*) filter (where m.status = 'failed'))::integer as failed,
            min(m.month) filter (where m.status = 'completed') as oldest_completed
        from historical_sync.repository_months m
        where m.team_id = r.team_id and m.repository = r.repository
    ) month
    cross join lateral (
        select
            (count(*) filter (where c.status = 'classified'))::integer as classified,
            (count(*) filter (where c.status = 'pending'))::integer as pending,
            (count(*) filter (where c.status = 'unclassified'))::integer as unclassified
        from historical_sync.llm_classifications c
        where c.team_id = r.team_id and c.repository = r.repository
    ) llm
"""

VIEWS = (
    PULL_REQUESTS,
    MONTHLY_TRENDS,
    METRIC_TRENDS,
    AI_COMPARISONS,
    BENCHMARKS,
    TEAM_STANDINGS,
    EVIDENCE,
    SYNC_PROGRESS,
)

ROLES = """
do $$
declare
    wanted text;
    may_use text := case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end;
begin
    foreach wanted in array array['historical_sync_reader', 'historical_sync_dashboard'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception
                -- Roles belong to the whole server: another database may be migrating at this moment.
                when duplicate_object or unique_violation then null;
                when insufficient_privilege then
                    raise exception 'The role % does not exist, and % may not create it.', wanted, current_user
                        using errcode = 'insufficient_privilege', hint = format(
                            'Let an administrator run: CREATE ROLE historical_sync_reader NOLOGIN; '
                            'CREATE ROLE historical_sync_dashboard NOLOGIN; '
                            'GRANT historical_sync_reader TO historical_sync_dashboard; '
                            'GRANT historical_sync_dashboard TO %I;', current_user);
            end;
        end if;
    end loop;
    begin
        if not pg_has_role('historical_sync_dashboard', 'historical_sync_reader', 'MEMBER') then
            grant historical_sync_reader to historical_sync_dashboard;
        end if;
        if not pg_has_role(current_user, 'historical_sync_dashboard', may_use) then
            execute format('grant historical_sync_dashboard to %I', current_user);
        end if;
    exception
        when unique_violation then null;
        when insufficient_privilege then
            raise exception '% may not act as historical_sync_dashboard.', current_user
                using errcode = 'insufficient_privilege', hint = format(
                    'Let an administrator run: GRANT historical_sync_reader TO historical_sync_dashboard; '
                    'GRANT historical_sync_dashboard TO %I;', current_user);
    end;
end $$
"""
"""`historical_sync_reader` may read what a team may see; the page's role and every BI role are its members."""

SECURITY = """
    create table historical_sync.team_roles (
        role_name name primary key,
        team_id text not null references historical_sync.teams on delete cascade
    );
    comment on table historical_sync.team_roles is
        'The login roles of BI tools, each tied to one team; see create_team_role().';

    create function historical_sync.visible_team() returns text language sql stable parallel safe
    return case
        when current_user = 'historical_sync_dashboard' then nullif(current_setting('app.team_id', true), '')
        else (select r.team_id from historical_sync.team_roles r where r.role_name = current_user)
    end;
    comment on function historical_sync.visible_team() is
        'The one team that the current role may see: app.team_id for the page''s role and for nobody else.';

    create function historical_sync.protect(protected regclass, is_readable boolean, is_writable boolean default false)
    returns void language plpgsql set search_path = pg_catalog as $$
    begin
        execute format('alter table %s enable row level security', protected);
        execute format('drop policy if exists visible_team on %s', protected);
        execute format(
            'create policy visible_team on %s for %s using (team_id = (select historical_sync.visible_team()))',
            protected, case when is_writable then 'all' else 'select' end
        );
        if is_readable then
            execute format('grant select on %s to historical_sync_reader', protected);
        end if;
        if is_writable then
            execute format('grant insert, update on %s to historical_sync_dashboard', protected);
        end if;
    end $$;
    comment on function historical_sync.protect(regclass, boolean, boolean) is
        'Row-level security for a table with a team_id: only the visible team''s rows, and whether roles may read it.';
    revoke execute on function historical_sync.protect(regclass, boolean, boolean) from public;

    create function historical_sync.create_team_role(new_role name, its_team text)
    returns void language plpgsql set search_path = pg_catalog as $$
    begin
        if not exists (select from historical_sync.teams t where t.team_id = its_team) then
            raise exception 'There is no team %.', its_team;
        end if;
        execute format('create role %I login', new_role);
        execute format('grant historical_sync_reader to %I', new_role);
        insert into historical_sync.team_roles (role_name, team_id) values (new_role, its_team)
        on conflict (role_name) do update set team_id = excluded.team_id;
    end $$;
    comment on function historical_sync.create_team_role(name, text) is
        'A login role for a BI tool that sees one team and nothing else. Give it a password with ALTER ROLE.';
    revoke execute on function historical_sync.create_team_role(name, text) from public;

    create function historical_sync.drop_team_role(old_role name)
    returns void language plpgsql set search_path = pg_catalog as $$
    begin
        delete from historical_sync.team_roles r where r.role_name = old_role;
        if not found then
            raise exception '% is no team''s role.', old_role;
        end if;
        execute format('drop role %I', old_role);
    end $$;
    comment on function historical_sync.drop_team_role(name) is 'Removes a BI tool''s role.';
    revoke execute on function historical_sync.drop_team_role(name) from public;

    alter table historical_sync.team_roles enable row level security;
    create policy own_role on historical_sync.team_roles for select using (role_name = current_user);
    grant select on historical_sync.team_roles to historical_sync_reader;
    grant usage on schema historical_sync, dashboard to historical_sync_reader;
    grant select on all tables in schema dashboard to historical_sync_reader;
    grant select on historical_sync.monthly_benchmarks to historical_sync_reader;
"""

READABLE = (
    "tracked_repositories",
    "repository_months",
    "pull_requests",
    "pull_request_commits",
    "pull_request_reviews",
    "pull_request_files",
    "ai_evidence",
    "llm_batches",
    "llm_classifications",
    "github_waits",
    "monthly_trends",
    "metric_trends",
    "team_standings",
)
"""Tables that a team may read as they are; of `teams` it may read every column but the token's reference."""

TEAM_COLUMNS = (
    "team_id, generation, display_name, status, history_months, created_at, onboarding_started_at, onboarded_at"
)

TABLES_WITH_TEAM = """
    select c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'team_id' and not a.attisdropped
    where c.relnamespace = 'historical_sync'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'team_roles'
    order by 1
"""


TABLE_COMMENTS = {
    "teams": "One row per team: adding one starts its onboarding.",
    "tracked_repositories": "One row per repository of a team, with how far its load is.",
    "repository_months": "One row per repository and month: what GitHub has, what is stored, and what went wrong.",
    "pull_requests": "One row per pull request, as GitHub showed it last; once, whatever months it belongs to.",
    "pull_request_commits": "One row per commit of a pull request.",
    "pull_request_reviews": "One row per review of a pull request.",
    "pull_request_files": "One row per file that a pull request changes.",
    "pull_request_index": "One row per pull request that GitHub lists: what is to be fetched, and what was.",
    "repository_walks": "One row per walk over a repository's index: where it stands.",
    "ingestion_leases": "One row per (team, month) that a process is loading at this moment.",
    "github_budgets": "One row per GitHub identity: the points it has left.",
    "github_identities": "One row per token, by its digest: whose it is.",
    "github_streams": "One row per stream slot of a GitHub identity.",
    "github_stream_queue": "One row per process that waits for a stream slot of a GitHub identity.",
    "github_waits": "One row per process that waits for GitHub, and until when.",
    "ai_evidence": "One row per hit of an AI signature in a pull request, with the words that prove it.",
    "llm_batches": "One row per batch that was sent to the LLM: its state, its tokens, its cost.",
    "llm_classifications": "One row per pull request that was or will be shown to the LLM, with its answer.",
    "llm_intents": "One row per batch that is about to be sent or was: so that none is paid twice.",
    "llm_requests": "One row per pull request in a batch, and what became of it.",
    "monthly_trends": "One row per team, month, repository (* for all), metric and segment: the value and its n.",
    "metric_trends": "One row per team, repository, metric and segment: changes, slope, test and direction.",
    "monthly_benchmarks": "One row per month, metric and size of team, from five teams on: percentiles over teams.",
    "team_standings": "One row per team, month and metric: the share of other teams of its size it does better than.",
    "alembic_version": "The schema's version.",
}

KEYS = {
    "team_id": "The team.",
    "repository": "owner/name as registered.",
    "number": "The pull request's number in its repository.",
    "month": "First day of the month (UTC).",
    "metric": "Name of the metric; see docs/metrics.md.",
    "computed_at": "When this row was computed.",
}

TREND_KEYS = {
    **KEYS,
    "repository": "owner/name as registered, or * for all of the team's repositories.",
    "segment": "* for all pull requests, or ai, other, pending, size:…, type:…, tool:…, made_with:…, technology:….",
    "unit": "Unit of the values: pull requests, authors, hours, lines, rounds, or share (0 to 1).",
    "is_complete": "Whether every repository of the place is completely loaded for every month that was used.",
    "is_open": "Whether the month was not over when its data was loaded.",
}

COMMENTS = {
    "pull_requests": (
        "One row per pull request, with its effective AI label, its times and its size: the ground of every metric.",
        {
            **KEYS,
            "title": "The title.",
            "author_login": "The author's account; null when it was deleted.",
            "author_type": "GitHub's type of the author: User, Bot, Mannequin, ….",
            "state": "OPEN, CLOSED or MERGED.",
            "is_draft": "Whether it is a draft now.",
            "created_at": "When it was opened.",
            "ready_at": "When it last left draft; null when it never was one.",
            "first_commit_at": "Earliest authored time of its commits.",
            "first_review_at": "First review by another human at or after it was ready, and not after the merge.",
            "merged_at": "When it was merged.",
            "closed_at": "When it was closed; a merge is a close.",
            "updated_at": "When GitHub last saw it change.",
            "merged_by": "Who merged it.",
            "additions": "Lines added.",
            "deletions": "Lines deleted.",
            "changed_files": "Files changed.",
            "size_lines": "Lines added plus lines deleted.",
            "size_bucket": "xs to 10 lines, s to 50, m to 200, l to 500, xl above.",
            "head_ref": "The branch it comes from.",
            "base_ref": "The branch it goes to.",
            "labels": "Its labels.",
            "milestone": "Its milestone.",
            "commit_count": "How many commits GitHub counts.",
            "review_count": "How many reviews GitHub counts.",
            "comment_count": "How many comments GitHub counts.",
            "is_partial": "Whether GitHub gave only a part of it.",
            "is_automation": "Whether a dependency, release or formatting bot made it: left out of people's metrics.",
            "is_revert": "Whether it undoes an earlier pull request.",
            "is_hotfix": "Whether it calls itself a hotfix.",
            "is_reviewed": "Whether another human reviewed it before the merge.",
            "review_rounds": "Reviews by another human that requested changes; null when nobody reviewed it.",
            "cycle_time_hours": "Creation to merge.",
            "lead_time_hours": "First commit to merge; null when negative (a clock that was wrong).",
            "coding_time_hours": "First commit to creation; null when negative.",
            "pickup_time_hours": "Ready (or created) to the first review by another human.",
            "review_time_hours": "That review to the merge.",
            "is_ai_assisted": "The effective label: whether a tool wrote or helped to write it; null while pending.",
            "ai_source": "What the label rests on: evidence, llm, mention, or pending.",
            "ai_tools": "The tools that the label's source names.",
            "ai_reviewed": "Whether an AI tool reviewed it: says nothing about who wrote it.",
            "is_agent_authored": "Whether an AI agent's own account opened it.",
            "has_ai_suggestion": "Whether it holds a commit from an accepted suggestion of a reviewing bot.",
            "llm_status": "classified, unclassified, or pending.",
            "llm_confidence": "How sure the LLM was of its answer on AI use, 0 to 1.",
            "pull_request_type": "feature, bugfix, refactor, docs, test, chore or ci, by the LLM; null without it.",
            "technologies": "Languages and frameworks it touches, by the LLM.",
            "summary_title": "The LLM's title.",
            "llm_summary": "The LLM's whole answer on technology, content and health.",
        },
    ),
    "monthly_trends": (
        "One row per month, repository, metric and segment: what the number is, and how many it rests on.",
        {
            **TREND_KEYS,
            "value": "The value; null where there is no data.",
            "n": "How many pull requests it rests on; for a count, the count.",
            "is_enough": "Whether n is at least 5.",
            "is_complete": "Whether every repository of the place is completely loaded for this month.",
            "repositories": "How many repositories the place has.",
            "repositories_complete": "How many of them are completely loaded for this month.",
            "same_days_value": "Of an open month: the value of the same days of the month before.",
            "same_days_n": "How many that rests on.",
            "same_days_year_value": "Of an open month: the value of the same days of the year before.",
            "same_days_year_n": "How many that rests on.",
        },
    ),
    "metric_trends": (
        "One row per repository, metric and segment as of the newest month (and of the last full month, while it is "
        "open): what changed, and whether that is more than noise.",
        {
            **TREND_KEYS,
            "as_of_month": "The month that the row is as of.",
            "value": "The value of that month.",
            "n": "How many it rests on.",
            "previous_value": "What it is compared with: the month before, or its same days.",
            "previous_n": "How many that rests on.",
            "change_previous": "Change in change_unit; null where the base is none.",
            "year_value": "The same month of the year before, or its same days.",
            "year_n": "How many that rests on.",
            "change_year": "Change in change_unit; null where the base is none.",
            "change_unit": "percent, or percentage points for shares.",
            "compared_with": "month, or same days while the month is open.",
            "slope_per_month": "Theil-Sen slope over the months used, in the metric's unit per month.",
            "p_value": "Two-sided p-value of the Mann-Kendall test.",
            "months_used": "How many full months with enough data the slope and the test rest on.",
            "movement": "rising, falling, steady, or too little data.",
            "direction": "improving, worsening, flat, too little data; null when it moves and neither way is better.",
        },
    ),
    "ai_comparisons": (
        "One row per month, repository and metric: AI-assisted against other work, raw and of equal sizes. A "
        "difference does not show that AI caused it.",
        {
            **TREND_KEYS,
            "ai_value": "Value of AI-assisted pull requests.",
            "ai_n": "How many that rests on.",
            "other_value": "Value of the others (pending ones in neither).",
            "other_n": "How many that rests on.",
            "is_comparable": "Whether both sides have at least 10; show no comparison otherwise.",
            "ai_value_size_matched": "Value of AI-assisted ones, over the sizes that both sides have.",
            "ai_n_size_matched": "How many that rests on.",
            "other_value_size_matched": "Value of the others, weighted to the sizes of the AI-assisted ones.",
            "other_n_size_matched": "How many that rests on.",
            "is_size_matched_comparable": "Whether both size-matched sides have at least 10.",
            "is_complete": "Whether every repository of the place is completely loaded for this month.",
        },
    ),
    "benchmarks": (
        "One row per month, metric and size of team: percentiles over the teams of that size, from five teams on. "
        "Visible whatever the team.",
        {
            **KEYS,
            "team_size_bucket": "Size of team by active authors of the month: 1-10, 11-50, 51-200 or 201+.",
            "teams": "How many teams.",
            "p25": "25th percentile of the teams' values.",
            "p50": "Median of the teams' values.",
            "p75": "75th percentile of the teams' values.",
            "p90": "90th percentile of the teams' values.",
        },
    ),
    "team_standings": (
        "One row per month and metric: where the team stands among the others of its size, from five teams on.",
        {
            **KEYS,
            "team_size_bucket": "The team's size that month.",
            "teams": "How many teams of that size, itself included.",
            "value": "The team's value.",
            "better_than_share": "Share of the other teams that it does better than; null where neither way is better.",
        },
    ),
    "pull_request_evidence": (
        "One row per hit of an AI signature, with the words that prove it.",
        {
            **KEYS,
            "tool": "The tool.",
            "role": "author, reviewer, suggestion or automation.",
            "source": "Where it was seen: author, branch, title, body, reviewer, or a commit's part.",
            "strength": "exact, or mention.",
            "quote": "The words, at most 200 characters.",
            "signature_id": "The signature that hit.",
            "position": "Tells several hits of one signature in one source apart.",
            "ruleset_version": "Version of the signatures.",
        },
    ),
    "sync_progress": (
        "One row per repository: how far its history is loaded and classified.",
        {
            **KEYS,
            "current_name": "Its name now, where it was renamed.",
            "sync_status": "pending, syncing, completed or failed.",
            "sync_progress": "0 to 100.",
            "sync_prs_total": "How many different pull requests it has in the team's months.",
            "sync_prs_completed": "How many of them are stored.",
            "sync_started_at": "When its load began.",
            "sync_error": "What went wrong, and what to do.",
            "last_synced_at": "When it was last loaded or refreshed.",
            "months_begun": "Months that were begun.",
            "months_completed": "Months that are complete.",
            "months_partial": "Months of which a part could not be fetched.",
            "months_failed": "Months that failed.",
            "oldest_completed_month": "The oldest month that is complete.",
            "llm_classified": "Pull requests that the LLM has classified.",
            "llm_pending": "Pull requests that wait for the LLM.",
            "llm_unclassified": "Pull requests that the LLM could not classify.",
        },
    ),
}
"""View → what one row is, and what each column is. BI tools show these."""

COLUMNS_OF_VIEW = """
    select column_name from information_schema.columns where table_schema = 'dashboard' and table_name = %s
"""

TABLES = """
    select relname from pg_catalog.pg_class
    where relnamespace = 'historical_sync'::regnamespace and relkind in ('r', 'p')
        and obj_description(oid, 'pg_class') is null
"""


def _comment(kind: str, name: str, comment: str) -> None:
    quoted = comment.replace("'", "''")
    op.get_bind().exec_driver_sql(f"comment on {kind} {name} is '{quoted}'")


def _comment_on_everything() -> None:
    for view, (comment, columns) in COMMENTS.items():
        _comment("view", f"dashboard.{view}", comment)
        for (column,) in op.get_bind().exec_driver_sql(COLUMNS_OF_VIEW, (view,)).fetchall():
            _comment("column", f"dashboard.{view}.{column}", columns[column])
    for (table,) in op.get_bind().exec_driver_sql(TABLES).fetchall():
        if table in TABLE_COMMENTS:
            _comment("table", f"historical_sync.{table}", TABLE_COMMENTS[table])


def upgrade() -> None:
    # "if not exists" would ask for the right to create schemas even where an administrator has made this one.
    op.execute("do $$ begin if to_regnamespace('dashboard') is null then create schema dashboard; end if; end $$")
    op.execute(ROLES)
    for view in VIEWS:
        op.execute(view)
    op.execute(SECURITY)
    for (table,) in op.get_bind().exec_driver_sql(TABLES_WITH_TEAM).fetchall():
        op.execute(f"select historical_sync.protect('historical_sync.{table}', {table in READABLE})")
    op.execute(f"grant select ({TEAM_COLUMNS}) on historical_sync.teams to historical_sync_reader")
    _comment_on_everything()
