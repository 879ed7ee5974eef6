-- A database of Farthing 0.1.0 (commit 0c06364): its migrations as they were, without their comments, and a first start.
create table migration (name text primary key, applied_at timestamptz not null default now());

-- 0001-facts.sql
create table deployment (
  only_row      boolean primary key default true check (only_row),
  first_hour    integer not null,
  sealed_until  integer not null check (sealed_until >= first_hour),
  settled_until integer not null check (settled_until between first_hour and sealed_until),
  price_version integer not null,
  currency      text    not null,
  demo          boolean not null,
  created_at    timestamptz not null default clock_timestamp()
);
create table price_version (
  version      integer primary key,
  published_at timestamptz not null default clock_timestamp(),
  published_by text not null,
  book         text not null,
  source       text not null,
  digest       bytea not null check (length(digest) = 32)
);
create table cycle (
  hour          integer primary key,
  price_version integer not null references price_version,
  sealed_at     timestamptz not null,
  settled_at    timestamptz
);
create table bucket (
  bucket        smallint primary key check (bucket between 0 and 255),
  settled_until integer not null
);
create table usage_event (
  at          bigint   not null,
  received_at timestamptz not null,
  hour        integer  not null check (hour = at / 3600000),
  cycle       integer  not null check (cycle >= hour),
  checksum    integer  not null,
  bucket      smallint not null,
  account     text     not null collate "C",
  id          text     not null collate "C",
  source      text     not null collate "C",
  type        text     not null collate "C",
  data        text     not null collate "C",
  attributes  text     collate "C",
  primary key (hour, bucket, account, id, source)
) partition by range (hour);
create index usage_event_hour on usage_event using brin (hour);
create table held_event (
  hour        integer  not null,
  bucket      smallint not null,
  account     text     not null collate "C",
  id          text     not null collate "C",
  source      text     not null collate "C",
  code        text     not null,
  subject     text     not null collate "C",
  detail      text     not null,
  held_at     timestamptz not null default clock_timestamp(),
  primary key (hour, bucket, account, id, source)
);
create index held_event_reason on held_event (code, subject, account);
create table refused_event (
  number      bigint generated always as identity primary key,
  received_at timestamptz not null default clock_timestamp(),
  outcome     text not null check (outcome in ('rejected', 'conflict')),
  account     text collate "C",
  source      text collate "C",
  id          text collate "C",
  code        text not null,
  detail      text not null,
  body        text not null
);
create index refused_event_account on refused_event (account, number);
create table history_hour (
  bucket        smallint not null,
  account       text     not null collate "C",
  hour          integer  not null,
  touched_at    timestamptz not null,
  writers       text[]   not null,
  price_version integer references price_version,
  primary key (bucket, account, hour)
);
create index history_hour_open on history_hour (touched_at) where price_version is null;
create index history_hour_sealed on history_hour (bucket) where price_version is not null;
create table late_hour (
  cycle   integer  not null,
  bucket  smallint not null,
  account text     not null collate "C",
  hour    integer  not null check (hour < cycle),
  primary key (cycle, bucket, account, hour)
);
create table restated_account (
  cycle     integer  not null,
  bucket    smallint not null,
  account   text     not null collate "C",
  from_hour integer  not null,
  primary key (cycle, bucket, account)
);
create table account (
  bucket        smallint not null,
  account       text     not null collate "C",
  last_step     bigint   not null default 0,
  last_sequence bigint   not null default 0,
  last_digest   bytea,
  primary key (bucket, account)
);
create table storage_level (
  bucket   smallint not null,
  account  text     not null collate "C",
  project  text     not null collate "C",
  dataset  text     not null collate "C",
  at       bigint   not null,
  source   text     not null collate "C",
  id       text     not null collate "C",
  region   text     not null collate "C",
  bytes    numeric  not null,
  step     bigint   not null,
  primary key (bucket, account, project, dataset, at, source, id)
);
create table storage_series (
  bucket  smallint not null,
  account text     not null collate "C",
  project text     not null collate "C",
  dataset text     not null collate "C",
  primary key (bucket, account, project, dataset)
);
create table bill (
  hour            integer  not null,
  bucket          smallint not null,
  account         text     not null collate "C",
  step            bigint   not null,
  sequence        bigint   not null,
  issued_at       bigint   not null,
  currency        text     not null,
  demo            boolean  not null,
  late            boolean  not null,
  statement_month text     not null,
  price_version   integer  not null,
  total           numeric  not null,
  request         numeric  not null,
  processing      numeric  not null,
  storage         numeric  not null,
  lines           integer  not null,
  events_digest   bytea    not null,
  lines_digest    bytea    not null,
  digest          bytea    not null,
  previous_digest bytea,
  primary key (hour, bucket, account)
) partition by range (hour);
create index bill_account on bill (account, hour);
create table bill_line (
  hour             integer  not null,
  bucket           smallint not null,
  account          text     not null collate "C",
  number           integer  not null,
  component        text     not null,
  item             text     not null collate "C",
  rate             text     not null collate "C",
  operation        text     collate "C",
  project          text     collate "C",
  region           text     collate "C",
  usage_hour       integer  not null check (usage_hour <= hour),
  quantity         numeric  not null,
  unit             text     not null,
  waived           numeric  not null,
  pricing_quantity numeric  not null,
  pricing_unit     text     not null,
  unit_price       numeric  not null,
  amount           numeric  not null,
  corrects         text,
  price_version    integer  not null,
  primary key (hour, bucket, account, number)
) partition by range (hour);
create index bill_line_correction on bill_line (account, usage_hour) where usage_hour <> hour;
create table settled_hour (
  hour          integer  not null,
  bucket        smallint not null,
  account       text     not null collate "C",
  step          bigint   not null,
  price_version integer  not null,
  events_digest bytea    not null,
  primary key (hour, bucket, account)
) partition by range (hour);
create table api_key (
  id         text primary key,
  name       text not null,
  hash       bytea not null unique check (length(hash) = 32),
  scopes     text[] not null,
  account    text collate "C",
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);
create function add_event_day(day integer) returns void language plpgsql as $$
declare
  name text := 'usage_event_day_' || day;
begin
  perform pg_advisory_xact_lock(hashtext('farthing.partitions'));
  if to_regclass(name) is null then
    execute format('create table %I (like usage_event including all)', name);
    execute format('alter table usage_event attach partition %I for values from (%s) to (%s)',
                   name, day * 24, (day + 1) * 24);
  end if;
end $$;
create function add_bill_month(hour integer) returns void language plpgsql as $$
declare
  starts timestamp := date_trunc('month', to_timestamp(hour::bigint * 3600) at time zone 'UTC');
  low    integer := extract(epoch from starts) / 3600;
  high   integer := extract(epoch from starts + interval '1 month') / 3600;
  parent text;
  name   text;
begin
  perform pg_advisory_xact_lock(hashtext('farthing.partitions'));
  foreach parent in array array['bill', 'bill_line', 'settled_hour'] loop
    name := parent || to_char(starts, '_YYYY_MM');
    if to_regclass(name) is null then
      execute format('create table %I (like %I including all)', name, parent);
      execute format('alter table %I attach partition %I for values from (%s) to (%s)', parent, name, low, high);
    end if;
  end loop;
end $$;
create table identity_segment (
  hour         integer  not null,
  number       bigint   generated always as identity,
  from_bucket  smallint not null,
  to_bucket    smallint not null check (to_bucket >= from_bucket),
  fingerprints bytea    not null,
  primary key (hour, number)
);
alter table identity_segment alter column fingerprints set storage external;
create table conflict_event (
  cycle       integer  not null,
  bucket      smallint not null,
  account     text     not null collate "C",
  hour        integer  not null,
  id          text     not null collate "C",
  source      text     not null collate "C",
  stands_hour integer  not null,
  primary key (cycle, bucket, account, hour, id, source)
);
insert into migration (name) values ('0001-facts.sql');

-- 0002-releases-and-voids.sql
create table released_event (
  hour    integer  not null,
  bucket  smallint not null,
  account text     not null collate "C",
  id      text     not null collate "C",
  source  text     not null collate "C",
  cycle   integer  not null check (cycle >= hour),
  primary key (hour, bucket, account, id, source)
);
create index released_event_cycle on released_event (cycle, bucket);
create table voided_event (
  hour       integer  not null,
  bucket     smallint not null,
  account    text     not null collate "C",
  id         text     not null collate "C",
  source     text     not null collate "C",
  cycle      integer  not null check (cycle >= hour),
  counted    integer  check (counted <= cycle),
  ordered_at bigint   not null,
  ordered_by text     not null,
  reason     text     not null,
  primary key (hour, bucket, account, id, source)
);
create index voided_event_cycle on voided_event (cycle, bucket);
create index voided_event_hour on voided_event (bucket, hour);
alter table held_event add column price_version integer not null default 1;
create index held_event_price_version on held_event (price_version);
alter table storage_level add column void_step bigint;
insert into migration (name) values ('0002-releases-and-voids.sql');

-- 0003-audit.sql
create table audit_entry (
  number  bigint generated always as identity primary key,
  at      timestamptz not null default clock_timestamp(),
  actor   text not null,
  act     text not null,
  account text collate "C",
  detail  text not null
);
create index audit_entry_account on audit_entry (account, number);
insert into migration (name) values ('0003-audit.sql');

-- 0004-accounts.sql
create table account_profile (
  account        text collate "C" primary key,
  bucket         smallint not null,
  name           text,
  tags           text     not null default '{}',
  time_zones     text     not null default '[]',
  closed_at      bigint,
  closed_version integer,
  levels_ended   integer  not null default 0,
  created_at     timestamptz not null default clock_timestamp(),
  updated_at     timestamptz not null default clock_timestamp()
);
create index account_profile_closed_version on account_profile (closed_version) where closed_version is not null;
create index account_profile_levels_ended on account_profile (levels_ended) where closed_at is not null;
create index account_name on account (account);
alter table deployment add column accounts_version integer not null default 0;
insert into migration (name) values ('0004-accounts.sql');

-- 0005-operations.sql
create table clock_watch (
  only_row    boolean primary key default true check (only_row),
  doubted_at  bigint,
  believed_at bigint,
  agreements  integer not null default 0,
  check ((doubted_at is null) = (believed_at is null))
);
insert into clock_watch default values;
create index bill_line_correction_cycle on bill_line (hour) where usage_hour <> hour;
insert into migration (name) values ('0005-operations.sql');

-- 0006-identity-days.sql
alter table identity_segment add column hours integer not null default 1;
insert into migration (name) values ('0006-identity-days.sql');

-- 0007-sources.sql
create table manifest (
  hour         integer not null,
  source       text    not null collate "C",
  version      integer not null,
  events       bigint  not null check (events >= 0),
  announced_at timestamptz not null default clock_timestamp(),
  announced_by text    not null,
  primary key (hour, source, version)
);
create table source_count (
  hour   integer not null,
  source text    not null collate "C",
  events bigint  not null,
  primary key (hour, source)
);
create table source_presence (
  source          text collate "C" primary key,
  last_hour       integer  not null,
  hours           bit(192) not null,
  silent_since    integer check (silent_since > last_hour),
  acknowledged_by text
);
create index source_presence_silent on source_presence (source) where silent_since is not null;
create table source_watch (
  only_row      boolean primary key default true check (only_row),
  counted_until integer
);
insert into source_watch default values;
create table uncounted_hour (
  hour integer primary key
);
insert into migration (name) values ('0007-sources.sql');

-- 0008-refusals.sql
create table refusal_count (
  account   text    not null collate "C",
  source    text    not null collate "C",
  code      text    not null collate "C",
  outcome   text    not null collate "C" check (outcome in ('rejected', 'conflict')),
  times     bigint  not null check (times > 0),
  first_at  timestamptz not null,
  last_at   timestamptz not null,
  kept_hour integer not null default 0,
  kept      integer not null default 0,
  primary key (account, source, code, outcome)
) with (fillfactor = 50);
alter table refused_event rename column received_at to first_at;
alter table refused_event
  add column last_at timestamptz not null default clock_timestamp(),
  add column times   bigint      not null default 1,
  add column digest  bytea;
update refused_event set last_at = first_at, digest = sha256(convert_to(number::text, 'UTF8'));
alter table refused_event alter column digest set not null;
create unique index refused_event_digest on refused_event (digest);
update refused_event set account = null where code = 'event/foreign_account';
with kind as (
  select coalesce(account, '') collate "C" as account, coalesce(source, '') collate "C" as source, code, outcome,
         count(*) as times, min(first_at) as first_at, max(last_at) as last_at
    from refused_event
   group by 1, 2, 3, 4
), ranked as (
  select *, row_number() over (order by times desc, account, source, code, outcome) <= 10000 as fits from kind
)
insert into refusal_count (account, source, code, outcome, times, first_at, last_at)
select case when fits then account else '' end, case when fits then source else '' end, code, outcome,
       sum(times), min(first_at), max(last_at)
  from ranked
 group by 1, 2, 3, 4;
insert into migration (name) values ('0008-refusals.sql');

-- 0009-live-events.sql
create function add_live_events(
  gate bigint, known_prices integer, known_accounts integer, earliest_hour integer,
  ats bigint[], receipts timestamptz[], checksums integer[], buckets smallint[],
  subjects text[], ids text[], sources text[], types text[], bodies text[], extensions text[]
) returns bigint language plpgsql set lock_timeout = '10s' as $$
begin
  perform pg_advisory_xact_lock_shared(gate);
  perform from deployment
    where price_version = known_prices and accounts_version = known_accounts and sealed_until <= earliest_hour;
  if not found then
    return null;
  end if;
  insert into usage_event
    (at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes)
  select at, receipt, at / 3600000, at / 3600000, checksum, bucket, subject, id, source, type, body, extension
    from unnest(ats, receipts, checksums, buckets, subjects, ids, sources, types, bodies, extensions)
      as e (at, receipt, checksum, bucket, subject, id, source, type, body, extension);
  return floor(extract(epoch from clock_timestamp()) * 1000);
end $$;
insert into migration (name) values ('0009-live-events.sql');

-- The first start, and a bill that followed the other rule.
insert into price_version (version, published_by, book, source, digest)
values (1, 'first start', '{}', '', sha256(''));
insert into deployment (first_hour, sealed_until, settled_until, price_version, currency, demo)
values (490000, 490000, 490000, 1, 'USD', true);
insert into bucket (bucket, settled_until) select number, 490000 from generate_series(0, 255) number;
select add_bill_month(487000);
insert into bill_line values (487000, 7, 'acme', 1, 'processing', 'Video', 'default', 'Convert', null, null, 487000,
  613822, 'millisecond', 0, 10.230366666667, 'minute', 0.0084, 0.0859350800000028, null, 1);
