-- What a person or a key has done, in order. Only ever added to.
create table audit_entry (
  number  bigint generated always as identity primary key,
  at      timestamptz not null default clock_timestamp(),
  -- The id of the key; or the local command, with the user of the machine: `cli:maria`.
  actor   text not null,
  -- `price-book/publish`, `event/void`, `settle/now`, `key/make` …
  act     text not null,
  -- The only account that it concerns; null: all.
  account text collate "C",
  -- For people: what it was done to, and with what.
  detail  text not null
);

create index audit_entry_account on audit_entry (account, number);
