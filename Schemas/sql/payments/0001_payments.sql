-- Payments: accounts and their ledger. Numbers of kind and outcome are those of Schemas/payments.gozon and events.gozon.
CREATE TABLE accounts (
  user_id    uuid        PRIMARY KEY,
  currency   text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  balance    bigint      NOT NULL DEFAULT 0 CHECK (balance BETWEEN 0 AND 9007199254740991),
  entries    bigint      NOT NULL DEFAULT 0 CHECK (entries >= 0), -- how many the ledger has
  created_at timestamptz NOT NULL
) WITH (fillfactor = 70);

-- The ledger: append-only. Each row is a whole transfer, double entry by construction: `amount` goes on the user's
-- account, and the same amount off the shop's account that `kind` names (cash for a deposit, sales for a charge or a
-- refund). So every transfer sums to zero, and no row of the shop's accounts is there to be fought over.
CREATE TABLE entries (
  user_id    uuid        NOT NULL,
  number     bigint      NOT NULL CHECK (number > 0), -- 1, 2, 3 … on each account
  kind       smallint    NOT NULL CHECK (kind BETWEEN 1 AND 3),
  cause      uuid        NOT NULL, -- the deposit's id, or the order's
  amount     bigint      NOT NULL CHECK (CASE kind WHEN 2 THEN amount < 0 ELSE amount > 0 END),
  balance    bigint      NOT NULL CHECK (balance >= 0), -- the account's, right after
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, number)
);

-- One row for each order, for ever: what makes a debit happen once. It is the inbox (a repeat finds it) and the result
-- (a repeat is answered with it).
CREATE TABLE charges (
  order_id   uuid        PRIMARY KEY,
  user_id    uuid        NOT NULL,
  amount     bigint      NOT NULL CHECK (amount > 0),
  currency   text        NOT NULL,
  outcome    smallint    NOT NULL CHECK (outcome BETWEEN 1 AND 4),
  settled_at timestamptz NOT NULL
);

-- The first response to each Idempotency-Key, written with its effect.
CREATE TABLE idempotency_keys (
  scope      text        NOT NULL, -- the method, and whose key it is
  key        text        NOT NULL,
  request    bytea       NOT NULL,
  response   bytea       NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (scope, key)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER entries_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER charges_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charges
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
