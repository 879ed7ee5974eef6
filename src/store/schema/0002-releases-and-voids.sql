-- A held event that a later price book covers. Its own cycle had been sealed while it was held, so it counts in a later
-- one, with its own usage hour and that hour's price. A fact. The event itself is in usage_event.
create table released_event (
  hour    integer  not null,
  bucket  smallint not null,
  account text     not null collate "C",
  id      text     not null collate "C",
  source  text     not null collate "C",
  -- Where it counts.
  cycle   integer  not null check (cycle >= hour),
  primary key (hour, bucket, account, id, source)
);

create index released_event_cycle on released_event (cycle, bucket);

-- An event that was voided. A fact; the event stays, and its identity stays taken.
create table voided_event (
  hour       integer  not null,
  bucket     smallint not null,
  account    text     not null collate "C",
  id         text     not null collate "C",
  -- What Farthing itself added to end what closed accounts store is never voided.
  source     text     not null collate "C" check (source not like '%farthing:closed'),
  -- The cycle of the void.
  cycle      integer  not null check (cycle >= hour),
  -- The cycle in which the event counts: that of the void, where it is left out; an older one, which was sealed, so the
  -- void's cycle gives it back; null: it counts nowhere.
  counted    integer  check (counted <= cycle),
  ordered_at bigint   not null,
  -- The key or the command.
  ordered_by text     not null,
  reason     text     not null,
  primary key (hour, bucket, account, id, source)
);

create index voided_event_cycle on voided_event (cycle, bucket);
create index voided_event_hour on voided_event (bucket, hour);

-- The newest version under which it was looked at, and stayed held.
alter table held_event add column price_version integer not null default 1;
create index held_event_price_version on held_event (price_version);

-- The settled hour that took the level back: those of a higher step do not see it. Null: it was not.
alter table storage_level add column void_step bigint;
