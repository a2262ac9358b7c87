-- The roles of a shared PostgreSQL, each with the least it needs. Run once by an administrator, in the database that is
-- to hold the warehouse, then give each login a password:
--
--     createdb historical_sync
--     psql -d historical_sync -f deploy/postgres/roles.sql
--     psql -d historical_sync -c '\password historical_sync_pipeline'     (and the other two)
--
--   historical_sync_pipeline   owns the schemas historical_sync and dashboard: migrations, commands, runs
--   historical_sync_dagster    owns the schema dagster: Dagster's own tables, nothing else
--   historical_sync_page       the trends page alone: may become historical_sync_dashboard, which sees one team at a time
--
-- HISTORICAL_SYNC_DATABASE_URL names the first (for the page's process: the third), HISTORICAL_SYNC_DAGSTER_URL the
-- second, as postgresql+psycopg2://historical_sync_dagster:…@HOST/historical_sync?options=-csearch_path%3Ddagster

\set ON_ERROR_STOP on

create role historical_sync_pipeline login;
create role historical_sync_dagster login;
create role historical_sync_page login;

-- The migrations look for these two, which cannot log in, and make them only where they may.
create role historical_sync_reader nologin;
create role historical_sync_dashboard nologin;
grant historical_sync_reader to historical_sync_dashboard;
grant historical_sync_dashboard to historical_sync_pipeline, historical_sync_page;

create schema historical_sync authorization historical_sync_pipeline;
create schema dashboard authorization historical_sync_pipeline;
create schema dagster authorization historical_sync_dagster;

-- Nobody else: by default every role may connect to a database and, before PostgreSQL 15, create in schema public.
do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format(
        'grant connect, temporary on database %I to historical_sync_pipeline, historical_sync_dagster, '
        'historical_sync_page, historical_sync_reader', current_database());
end $$;
revoke all on schema public from public;
