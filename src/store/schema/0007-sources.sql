-- What a source says it has sent: so many events of an hour. A fact. Announced again, it counts from then on, and what was
-- said before is kept.
create table manifest (
  hour         integer not null,
  source       text    not null collate "C",
  -- 1, 2, 3 … The newest counts.
  version      integer not null,
  events       bigint  not null check (events >= 0),
  announced_at timestamptz not null default clock_timestamp(),
  -- The key.
  announced_by text    not null,
  primary key (hour, source, version)
);

-- How many stored events an announced source had of an hour when that was counted last. No fact: the events say it.
create table source_count (
  hour   integer not null,
  source text    not null collate "C",
  events bigint  not null,
  primary key (hour, source)
);

-- When a source reports. No fact: made from the events of the last days.
create table source_presence (
  source          text collate "C" primary key,
  -- The newest hour of which it has events; the last bit stands for it, and those before for the hours before it.
  last_hour       integer  not null,
  hours           bit(192) not null,
  -- The first hour that it was missed in; null: it is not.
  silent_since    integer check (silent_since > last_hour),
  -- By whom it was said that this is right.
  acknowledged_by text
);

create index source_presence_silent on source_presence (source) where silent_since is not null;

-- One row. Hours below were counted; null: none yet. Its lock is the claim to count the next one.
create table source_watch (
  only_row      boolean primary key default true check (only_row),
  counted_until integer
);
insert into source_watch default values;

-- Counted hours that have to be counted again, because usage came late or they were announced afterwards.
create table uncounted_hour (
  hour integer primary key
);
