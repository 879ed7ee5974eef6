-- A price list as it holds from a price version on, until a later version has it again: immutable.
create table price_list (
  version integer not null references price_version,
  name    text    not null collate "C",
  -- The RFC 8785 form of the list, and the YAML as it was sent.
  list    text    not null,
  source  text    not null,
  -- SHA-256 of `list`.
  digest  bytea   not null check (length(digest) = 32),
  primary key (name, version)
);

-- From which hour on an account pays by which list; null: the public prices. What it says of hours that have begun for the
-- account never changes.
create table account_price_list (
  bucket      smallint not null,
  account     text     not null collate "C",
  from_hour   integer  not null,
  list        text     collate "C",
  assigned_at timestamptz not null default clock_timestamp(),
  assigned_by text     not null,
  primary key (account, from_hour, bucket)
);
