-- Event types of price books of which an event was accepted: how they are read never changes from then on. Noted before
-- the first such event is stored, so a type may be here without one, and none is missing.
create table accepted_type (
  type text collate "C" primary key
);

insert into accepted_type (type)
select distinct e.type
  from usage_event e
 where e.type not like 'farthing.%'
   and not exists (select from held_event h
                    where h.hour = e.hour and h.bucket = e.bucket and h.account = e.account
                      and h.id = e.id and h.source = e.source);

-- Those for which the price book is to blame have a code of their own now: look at them again.
update held_event set price_version = 0 where code = 'held/missing_unit';
