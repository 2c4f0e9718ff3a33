-- How far orders' stream of requests is processed, lane by lane; written with the effect of what was processed.
CREATE TABLE lanes (
  lane     smallint PRIMARY KEY,
  epoch    bigint   NOT NULL DEFAULT 0,  -- grows whenever the lane changes hands: who has an older one writes nothing
  stream   text     NOT NULL DEFAULT '', -- which stream of that name: when it was created
  sequence bigint   NOT NULL DEFAULT 0   -- the last message whose effect is here
) WITH (fillfactor = 20);
INSERT INTO lanes (lane) SELECT generate_series(0, 15);
