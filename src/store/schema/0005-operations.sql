-- What processes agree on about the database clock. One row. No fact: a restore begins with an empty one.
create table clock_watch (
  only_row    boolean primary key default true check (only_row),
  -- A process has seen the clock gain on its own measure of time: what the clock showed, and what it should have shown.
  -- Nothing is sealed meanwhile. Null: no clock alarm is open.
  alarmed_at  bigint,
  accepted_at bigint,
  -- How often an alarm has ended. When it rises, every process takes the clock as it is.
  agreements  integer not null default 0,
  check ((alarmed_at is null) = (accepted_at is null))
);
insert into clock_watch default values;

-- How many corrections the bills of an hour have.
create index bill_line_correction_cycle on bill_line (hour) where usage_hour <> hour;
