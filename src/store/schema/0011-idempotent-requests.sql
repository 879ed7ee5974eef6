-- Requests that were sent with an Idempotency-Key, for a day: a repeat gets the same answer, and does nothing again.
-- Bookkeeping about requests, no facts.
create table idempotent_request (
  -- The id of the API key that sent it.
  actor      text  not null,
  -- The Idempotency-Key.
  name       text  not null collate "C",
  -- SHA-256 of method, address and body: another request may not have the same name.
  digest     bytea not null check (length(digest) = 32),
  claimed_at timestamptz not null default clock_timestamp(),
  -- Of those that work on it: the one that has been taken over, because it was slow, has another.
  claim      uuid  not null default gen_random_uuid(),
  -- What was answered; null while it is worked on.
  status     smallint,
  answer     text,
  primary key (actor, name)
);

create index idempotent_request_claimed on idempotent_request (claimed_at);
