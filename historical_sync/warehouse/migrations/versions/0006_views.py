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
        {HOURS.format("p.merged_at - p.first_commit_at")} as lead_time_hours,
        case
            when p.first_commit_at <= p.created_at then {HOURS.format("p.created_at - p.first_commit_at")}
        end as coding_time_hours,
        {HOURS.format("review.first_review_at - coalesce(p.ready_at, p.created_at)")} as pickup_time_hours,
        {HOURS.format("p.merged_at - review.first_review_at")} as review_time_hours,
        label.is_ai_assisted,
        label.ai_source,
        case label.ai_source
            when 'evidence' then coalesce(evidence.exact_tools, '{{}}')
            when 'llm' then case when label.is_ai_assisted then llm.tools else '{{}}' end
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


def upgrade() -> None:
    op.execute("create schema if not exists dashboard")
    op.execute(ROLES)
    for view in VIEWS:
        op.execute(view)
    op.execute(SECURITY)
    for (table,) in op.get_bind().exec_driver_sql(TABLES_WITH_TEAM).fetchall():
        op.execute(f"select historical_sync.protect('historical_sync.{table}', {table in READABLE})")
    op.execute(f"grant select ({TEAM_COLUMNS}) on historical_sync.teams to historical_sync_reader")
