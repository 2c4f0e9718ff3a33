-- A cancelled order's charge: outcome 5, CANCELLED, when the cancellation came first. The row is there although nothing was
-- ever charged, so that nothing ever will be.
ALTER TABLE charges DROP CONSTRAINT charges_outcome_check;
ALTER TABLE charges ADD CONSTRAINT charges_outcome_check CHECK (outcome BETWEEN 1 AND 5);

-- A refund is an entry, and nothing else. An order has one at most, which gives back to the account that was charged what
-- was taken from it, to the last unit.
CREATE UNIQUE INDEX entries_refund_once ON entries (cause) WHERE kind = 3;

CREATE FUNCTION refuse_refund_without_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM charges
  WHERE order_id = NEW.cause AND outcome = 1 AND user_id = NEW.user_id AND amount = NEW.amount;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'order % was not charged %', NEW.cause, NEW.amount USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER entries_refund_what_was_charged BEFORE INSERT ON entries
  FOR EACH ROW WHEN (NEW.kind = 3) EXECUTE FUNCTION refuse_refund_without_charge();

-- All that was ever put on an account. What is spent can come back, so this is what has to stay within the bounds of a
-- balance: then every refund finds room.
ALTER TABLE accounts ADD COLUMN deposited bigint NOT NULL DEFAULT 0 CHECK (deposited BETWEEN 0 AND 9007199254740991);
UPDATE accounts SET deposited = least(9007199254740991, sums.deposited)
FROM (SELECT user_id, sum(amount) AS deposited FROM entries WHERE kind = 1 GROUP BY user_id) AS sums
WHERE accounts.user_id = sums.user_id;
ALTER TABLE accounts ADD CHECK (balance <= deposited);
