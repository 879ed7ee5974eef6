-- What processes have seen of the database clock, so that one that starts alone can compare. As with an alarm, no fact.
alter table clock_watch
  -- What has raised the alarm: a jump, the clock of a process, or the times of arriving usage; and which process.
  add column alarm_kind  text not null default 'jump' check (alarm_kind in ('jump', 'process', 'usage')),
  add column raised_by   text,
  -- By how much the database clock was ahead of that process's own, in ms; and the same when a person last accepted it.
  add column difference  bigint,
  add column accepted_difference bigint,
  -- What the clock showed when a process saw it last, about once a minute; not while an alarm or a delay is in force.
  add column seen_at       bigint,
  -- Nobody has seen the clock between `delayed_since` and `delayed_from`: live hours are sealed from `delayed_until` on.
  add column delayed_since bigint,
  add column delayed_from  bigint,
  add column delayed_until bigint,
  -- The newest time of live usage that has come since `delayed_from`.
  add column newest_usage_at bigint,
  add check ((delayed_since is null) = (delayed_from is null)),
  add check ((delayed_until is null) = (delayed_from is null));
