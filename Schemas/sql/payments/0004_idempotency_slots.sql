-- Idempotency keys that go again. Each is a row in one of three slots, by the day, and the slot whose keys are more than a day
-- old is truncated: no delete, no dead row, no vacuum.
ALTER TABLE idempotency_keys RENAME TO idempotency_keys_before;
ALTER TABLE idempotency_keys_before RENAME CONSTRAINT idempotency_keys_pkey TO idempotency_keys_before_pkey;

CREATE TABLE idempotency_keys (
  -- The day, UTC, modulo 3. The default is for services of the release before this one, which know no slots.
  slot       smallint    NOT NULL DEFAULT (floor(extract(epoch FROM now()) / 86400)::bigint % 3),
  scope      text        COLLATE "C" NOT NULL, -- the method, and whose key it is
  key        text        COLLATE "C" NOT NULL,
  request    bytea       NOT NULL,
  response   bytea       NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (key, scope, slot)
) PARTITION BY LIST (slot);
CREATE TABLE idempotency_keys_0 PARTITION OF idempotency_keys FOR VALUES IN (0) WITH (autovacuum_enabled = false);
CREATE TABLE idempotency_keys_1 PARTITION OF idempotency_keys FOR VALUES IN (1) WITH (autovacuum_enabled = false);
CREATE TABLE idempotency_keys_2 PARTITION OF idempotency_keys FOR VALUES IN (2) WITH (autovacuum_enabled = false);
COMMENT ON TABLE idempotency_keys IS
  'The first response to each Idempotency-Key, written with its effect, and kept for a day or two.';

INSERT INTO idempotency_keys (scope, key, request, response, created_at)
SELECT scope, key, request, response, created_at FROM idempotency_keys_before
WHERE created_at > now() - interval '25 hours';
DROP TABLE idempotency_keys_before;

-- The slots of the days from so long ago until so far ahead.
CREATE FUNCTION idempotency_slots(ago interval, ahead interval) RETURNS SETOF smallint LANGUAGE sql STABLE AS $$
  SELECT (day % 3)::smallint FROM generate_series(
    floor(extract(epoch FROM now() - ago) / 86400)::bigint, floor(extract(epoch FROM now() + ahead) / 86400)::bigint
  ) AS day
$$;

-- Truncates the slot that holds no key of the last day, if there is one and it is not empty: how many were truncated.
CREATE FUNCTION sweep_idempotency_keys() RETURNS integer LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  slot    smallint;
  is_used boolean;
  swept   integer := 0;
BEGIN
  -- One at a time: 'gozk', like the locks on lanes.
  IF NOT pg_try_advisory_xact_lock(x'676f7a6b'::integer, 0) THEN RETURN 0; END IF;
  FOR slot IN
    SELECT number FROM generate_series(0, 2) AS number EXCEPT SELECT idempotency_slots('25 hours', '1 hour')
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM idempotency_keys_%s)', slot) INTO is_used;
    CONTINUE WHEN NOT is_used;
    EXECUTE format('TRUNCATE idempotency_keys_%s', slot);
    swept := swept + 1;
  END LOOP;
  RETURN swept;
END $$;
