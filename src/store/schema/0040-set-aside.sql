-- What settlement stumbled over, so that everybody else has bills in time: an account, or a whole bucket (account '').
-- The bucket's progress does not count for such an account: its own is here. The row goes away when it has caught up.
create table set_aside (
  bucket   smallint not null,
  account  text     not null collate "C",
  -- Of an account: its hours from here on are not settled. Of a bucket: its hour at the time, which its own row knows too.
  hour     integer  not null,
  since    timestamptz not null default clock_timestamp(),
  attempts integer  not null default 1,
  retry_at timestamptz not null,
  -- A SQLSTATE, or the name of an error; and what it says, without the row that it is about.
  code     text     not null,
  reason   text     not null,
  primary key (bucket, account)
);

-- Hours below have their bills for this account.
create function account_settled_until(of_bucket smallint, of_account text) returns integer language sql stable as $$
  select least(b.settled_until, s.hour)
    from bucket b
    left join set_aside s on s.bucket = b.bucket and s.account = of_account
   where b.bucket = of_bucket
$$;
