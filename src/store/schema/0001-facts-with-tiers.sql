-- The name of this file says which rules the bills follow: see OTHER_RULES in ../migrate.ts.
-- Facts are only ever added: events, prices, bills. The rest is bookkeeping about them, and says so.
-- Hours are integers, hours since 1970-01-01T00Z; instants are bigint milliseconds since then, UTC.
-- Text keys use collation "C": the order of UTF-8 bytes, which the core, keys and digests share.

-- One row. Every ingest transaction reads it in the round trip that takes the gate.
create table deployment (
  only_row      boolean primary key default true check (only_row),
  -- The hour of the first start. No hour before it was ever open.
  first_hour    integer not null,
  -- Hours below are sealed: their live events can no longer change. Only rises, under the exclusive gate.
  sealed_until  integer not null check (sealed_until >= first_hour),
  -- Hours below have their bills, in every bucket. Only rises.
  settled_until integer not null check (settled_until between first_hour and sealed_until),
  price_version integer not null,
  currency      text    not null,
  -- Started with the reference price book. For good: every bill says so.
  demo          boolean not null,
  created_at    timestamptz not null default clock_timestamp()
);

create table price_version (
  version      integer primary key,
  published_at timestamptz not null default clock_timestamp(),
  published_by text not null,
  -- The RFC 8785 form of the whole rule set, what the core reads; and the YAML as it was sent.
  book         text not null,
  source       text not null,
  -- SHA-256 of `book`.
  digest       bytea not null check (length(digest) = 32)
);

-- One row a live hour, made when it is sealed.
create table cycle (
  hour          integer primary key,
  price_version integer not null references price_version,
  sealed_at     timestamptz not null,
  -- When the last bucket had its bills.
  settled_at    timestamptz
);

-- 256 rows: the unit of settlement. Locking the row is the claim; hours are settled in order.
create table bucket (
  bucket        smallint primary key check (bucket between 0 and 255),
  settled_until integer not null
);

create table usage_event (
  at          bigint   not null,
  received_at timestamptz not null,
  -- The hour of `at`, and the hour in whose bill it counts: the same, or a later one for late usage.
  hour        integer  not null check (hour = at / 3600000),
  cycle       integer  not null check (cycle >= hour),
  -- CRC-32 of the event's text, so that a damaged event can be named. The proof is the bill's eventsDigest.
  checksum    integer  not null,
  bucket      smallint not null,
  account     text     not null collate "C",
  id          text     not null collate "C",
  source      text     not null collate "C",
  type        text     not null collate "C",
  -- The RFC 8785 form of what was sent; and of the further attributes of the CloudEvent, if any.
  data        text     not null collate "C",
  attributes  text     collate "C",
  -- Of a level: its series, as a number, if it was known as a level when it came. Several series may have the same one.
  series      integer,
  primary key (hour, bucket, account, id, source)
) partition by range (hour);

create index usage_event_hour on usage_event using brin (hour);

-- Levels of a series by their instant: to say which of two is in force.
create index usage_event_series on usage_event (account, series, at) where series is not null;

-- An event that no version of the price book covers yet. The event itself is in usage_event.
create table held_event (
  hour        integer  not null,
  bucket      smallint not null,
  account     text     not null collate "C",
  id          text     not null collate "C",
  source      text     not null collate "C",
  code        text     not null,
  -- What is unknown: the operation or the type.
  subject     text     not null collate "C",
  detail      text     not null,
  held_at     timestamptz not null default clock_timestamp(),
  primary key (hour, bucket, account, id, source)
);

create index held_event_reason on held_event (code, subject, account);

-- What was not accepted, kept for inspection. Bounded: the oldest go first (REFUSED_EVENTS_KEPT).
create table refused_event (
  number      bigint generated always as identity primary key,
  received_at timestamptz not null default clock_timestamp(),
  outcome     text not null check (outcome in ('rejected', 'conflict')),
  -- As far as they could be read.
  account     text collate "C",
  source      text collate "C",
  id          text collate "C",
  code        text not null,
  detail      text not null,
  -- The beginning of what was sent, with U+0000 and unpaired surrogates escaped.
  body        text not null
);

create index refused_event_account on refused_event (account, number);

-- An hour that had been settled when its usage came in, for an account that had not used it. It gets a bill of
-- its own once nothing was committed for a while. The row goes away when the bill is issued.
create table backfill_hour (
  bucket        smallint not null,
  account       text     not null collate "C",
  hour          integer  not null,
  touched_at    timestamptz not null,
  -- The imports that wrote to it, '' for everyone else: an import that was alone may seal it when it ends.
  writers       text[]   not null,
  -- The newest price version when the account-hour was sealed; null while it is open.
  price_version integer references price_version,
  primary key (bucket, account, hour)
);

create index backfill_hour_open on backfill_hour (touched_at) where price_version is null;
create index backfill_hour_sealed on backfill_hour (bucket) where price_version is not null;

-- Work that was put into an open cycle: events of an older hour that count in it.
create table late_hour (
  cycle   integer  not null,
  bucket  smallint not null,
  account text     not null collate "C",
  hour    integer  not null check (hour < cycle),
  primary key (cycle, bucket, account, hour)
);

-- Work that was put into an open cycle: levels became known that reach over hours from `from_hour` on, so the
-- storage of those hours is computed again and the difference billed.
create table restated_account (
  cycle     integer  not null,
  bucket    smallint not null,
  account   text     not null collate "C",
  from_hour integer  not null,
  primary key (cycle, bucket, account)
);

-- An account as settlement knows it: made with its first settled hour.
create table account (
  bucket        smallint not null,
  account       text     not null collate "C",
  -- Settled hours so far, with a bill or without: `step` of the newest.
  last_step     bigint   not null default 0,
  -- Of its newest bill; 0 and null before the first.
  last_sequence bigint   not null default 0,
  last_digest   bytea,
  primary key (bucket, account)
);

-- The levels of settled events, in the order in which they take effect. '' stands for an absent name.
create table storage_level (
  bucket   smallint not null,
  account  text     not null collate "C",
  project  text     not null collate "C",
  dataset  text     not null collate "C",
  region   text     not null collate "C",
  at       bigint   not null,
  source   text     not null collate "C",
  id       text     not null collate "C",
  bytes    numeric  not null,
  -- The settled hour that brought it in: those of a lower step did not see it.
  step     bigint   not null,
  primary key (bucket, account, project, dataset, region, at, source, id)
);

-- Every series that ever had a level: where to look for what carries over.
create table storage_series (
  bucket  smallint not null,
  account text     not null collate "C",
  project text     not null collate "C",
  dataset text     not null collate "C",
  region  text     not null collate "C",
  primary key (bucket, account, project, dataset, region)
);

create table bill (
  hour            integer  not null,
  bucket          smallint not null,
  account         text     not null collate "C",
  -- 1, 2, 3 … over the account's settled hours, in the order in which they were settled; and over its bills.
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
  pricing_quantity numeric  not null check (scale(pricing_quantity) <= 12),
  pricing_unit     text     not null,
  unit_price       numeric  not null,
  -- The public price, and the price list that the unit price is from.
  list_price       numeric  not null,
  price_list       text     collate "C",
  -- Which tiers of the two prices; what the account had used in the stretch before, and the first hour of the stretch.
  tier             integer,
  list_tier        integer,
  position         numeric,
  stretch_from     integer,
  -- 18 decimals if it ends within them, else 12. Numeric has no scale of its own here, so sums are exact.
  amount           numeric  not null check (scale(amount) <= 18),
  corrects         text,
  price_version    integer  not null,
  primary key (hour, bucket, account, number)
) partition by range (hour);

-- What corrections say about an older hour.
create index bill_line_correction on bill_line (account, usage_hour) where usage_hour <> hour;

-- An account-hour that was settled and has no bill, because nothing in it has a fee.
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
  -- SHA-256 of the key. The key itself is shown once, when it is made.
  hash       bytea not null unique check (length(hash) = 32),
  scopes     text[] not null,
  -- The only account that it can see and send for; null: all.
  account    text collate "C",
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);

-- Partitions are made as tables of their own and then attached, which waits for no reader and stalls no insert.
-- Both may be called at once, and again.

-- The tables that events are in, with their hours: from the first to before the last. Whole days of UTC.
create function event_tables() returns table (from_hour integer, to_hour integer) language sql stable as $$
  select bounds[1]::integer, bounds[2]::integer
    from pg_inherits
    join pg_class part on part.oid = inhrelid
   cross join regexp_match(pg_get_expr(part.relpartbound, part.oid), '\((\d+)\) TO \((\d+)\)') as bounds
   where inhparent = 'usage_event'::regclass
$$;

-- The table that events of an hour belong into, made if it is missing: of the UTC day; or of what is free of the calendar
-- month, if that ended 400 days ago. So tables of days are few, whatever usage is imported, and what a table was made for
-- never changes.
create function add_event_table(hour integer, out from_hour integer, out to_hour integer) language plpgsql as $$
declare
  starts  timestamp := date_trunc('month', to_timestamp(hour::bigint * 3600) at time zone 'UTC');
  ends    integer := extract(epoch from starts + interval '1 month') / 3600;
  is_old  boolean := ends <= extract(epoch from clock_timestamp()) / 3600 - 400 * 24;
  low     integer := case when is_old then extract(epoch from starts) / 3600 else hour / 24 * 24 end;
  high    integer := case when is_old then ends else hour / 24 * 24 + 24 end;
  name    text;
begin
  perform pg_advisory_xact_lock(hashtext('farthing.partitions'));
  select t.from_hour, t.to_hour into from_hour, to_hour
    from event_tables() t where hour >= t.from_hour and hour < t.to_hour;
  if found then
    return;
  end if;
  select greatest(low, max(t.to_hour) filter (where t.to_hour <= hour)),
         least(high, min(t.from_hour) filter (where t.from_hour > hour))
    into from_hour, to_hour
    from event_tables() t;
  name := case when to_hour - from_hour = 24 then 'usage_event_day_' || from_hour / 24
               else format('usage_event_hours_%s_%s', from_hour, to_hour) end;
  execute format('create table %I (like usage_event including all)', name);
  execute format('alter table usage_event attach partition %I for values from (%s) to (%s)', name, from_hour, to_hour);
end $$;

-- The calendar month of UTC that contains the hour, for bills, lines and hours settled without a bill.
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

-- Fingerprints of identities whose events were settled, by usage hour: 4 bytes each, little endian, ascending. They find
-- duplicates of an event under another time; a match is then looked up exactly. A transaction's buckets share a row.
create table identity_segment (
  hour         integer  not null,
  number       bigint   generated always as identity,
  from_bucket  smallint not null,
  to_bucket    smallint not null check (to_bucket >= from_bucket),
  fingerprints bytea    not null,
  primary key (hour, number)
);
alter table identity_segment alter column fingerprints set storage external;

-- An event that is never billed, because its identity was settled before under another time. The mark is a fact.
create table conflict_event (
  cycle       integer  not null,
  bucket      smallint not null,
  account     text     not null collate "C",
  hour        integer  not null,
  id          text     not null collate "C",
  source      text     not null collate "C",
  -- The hour of the copy that counts.
  stands_hour integer  not null,
  primary key (cycle, bucket, account, hour, id, source)
);
