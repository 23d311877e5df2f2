-- Events whose month has no partition yet, or lies outside the years that get one, stay here.
create table events_default partition of events default;
