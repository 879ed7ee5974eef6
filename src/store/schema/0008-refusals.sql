-- What was refused is counted for ever, by kind: one row for whose it is, its source, and why. The number of kinds is
-- bounded (REFUSAL_KINDS_MAX): those beyond are counted without account and source.
create table refusal_count (
  -- '': it could not be read, or the kind is beyond the bound.
  account   text    not null collate "C",
  source    text    not null collate "C",
  code      text    not null collate "C",
  outcome   text    not null collate "C" check (outcome in ('rejected', 'conflict')),
  times     bigint  not null check (times > 0),
  first_at  timestamptz not null,
  last_at   timestamptz not null,
  -- How many of them were kept with what was sent, in the last UTC hour in which some were (REFUSED_EVENTS_OF_KIND_MAX).
  kept_hour integer not null default 0,
  kept      integer not null default 0,
  primary key (account, source, code, outcome)
  -- Room on each page for the next version of a row that is counted up again and again.
) with (fillfactor = 50);

-- Refusals that are equal in everything are one row.
alter table refused_event rename column received_at to first_at;
alter table refused_event
  add column last_at timestamptz not null default clock_timestamp(),
  add column times   bigint      not null default 1,
  add column digest  bytea;

-- Those of before stay one row each: nothing that comes has the digest of a number.
update refused_event set last_at = first_at, digest = sha256(convert_to(number::text, 'UTF8'));

alter table refused_event alter column digest set not null;
create unique index refused_event_digest on refused_event (digest);

-- What a key sends in the name of an account that is not its own belongs to the account of the key; which one that was
-- is not known any more.
update refused_event set account = null where code = 'event/foreign_account';

-- The counts begin with what is kept. The largest kinds have their names.
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
