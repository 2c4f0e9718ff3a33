-- Orders. Numbers of status and reason are those of Schemas/orders.gozon.
CREATE TABLE orders (
  id          uuid        PRIMARY KEY,
  user_id     uuid        NOT NULL,
  amount      bigint      NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
  currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  description text        NOT NULL,
  status      smallint    NOT NULL CHECK (status BETWEEN 1 AND 4),
  reason      smallint    CHECK (reason BETWEEN 1 AND 4),
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL CHECK (updated_at >= created_at),
  -- NEW and FINISHED have no reason, CANCELLED always has one.
  CHECK (CASE status WHEN 3 THEN reason IS NOT NULL WHEN 4 THEN true ELSE reason IS NULL END)
) WITH (fillfactor = 45);

-- No index holds status or updated_at, and a page has room for every order on it to change once at the same time, as a
-- batch does: so settling an order rewrites its row on its page and touches no index (a HOT update).
CREATE INDEX orders_of_user_by_time ON orders (user_id, created_at DESC, id DESC);
CREATE INDEX orders_by_time ON orders (created_at DESC, id DESC);

-- Events that are to reach the broker. A row lives until the order's result is known, not until the broker took it: the
-- broker may lose its whole store, and the row is sent again when it falls due.
CREATE TABLE outbox (
  id          uuid        PRIMARY KEY, -- the event's id: its Nats-Msg-Id
  subject     text        NOT NULL,
  type        text        NOT NULL,    -- the message's name in Schemas/events.gozon
  user_id     uuid        NOT NULL,
  payload     bytea       NOT NULL,
  traceparent text,
  attempts    integer     NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX outbox_by_due ON outbox (due_at);

-- The first response to each Idempotency-Key, written with its effect.
CREATE TABLE idempotency_keys (
  scope      text        NOT NULL, -- the method, and whose key it is
  key        text        NOT NULL,
  request    bytea       NOT NULL,
  response   bytea       NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (scope, key)
);
