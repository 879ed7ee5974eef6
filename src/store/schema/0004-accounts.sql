-- An account as people know it: made when somebody describes it. What it was billed is in `account`, which is
-- settlement's own.
create table account_profile (
  account        text collate "C" primary key,
  bucket         smallint not null,
  name           text,
  -- Names and values, in the RFC 8785 form.
  tags           text     not null default '{}',
  -- [{"fromMonth","zone"}], oldest first, in the RFC 8785 form. Before the first of them: UTC. Bills were issued by it, so
  -- what it says of months that have begun never changes.
  time_zones     text     not null default '[]',
  -- Usage from this instant on is refused, and every level counts as 0; null: open.
  closed_at      bigint,
  -- The deployment's accounts_version with which closed_at was changed last; null: never.
  closed_version integer,
  -- The price version under which the levels of the closed account were ended; 0: they were not yet. A later version may
  -- know further events as levels.
  levels_ended   integer  not null default 0,
  created_at     timestamptz not null default clock_timestamp(),
  updated_at     timestamptz not null default clock_timestamp()
);

create index account_profile_closed_version on account_profile (closed_version) where closed_version is not null;
create index account_profile_levels_ended on account_profile (levels_ended) where closed_at is not null;

-- Accounts by name, whatever their buckets.
create index account_name on account (account);

-- How often an account was closed or opened: an ingest transaction that reads another number than its process knows
-- judges its events again. Only rises, under the exclusive gate.
alter table deployment add column accounts_version integer not null default 0;
