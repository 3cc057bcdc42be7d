-- A job that is put into the queue writes one row, not two: that it was deferred is what its own row says. The queue's history begins
-- when a worker takes it; nothing of procrastinate's or ours reads the event (docs/decisions/043).
alter table procrastinate_jobs disable trigger procrastinate_trigger_status_events_insert_v1;
