-- A cancelled order's charge: outcome 5, CANCELLED, when the cancellation came first. The row is there although nothing was
-- ever charged, so that nothing ever will be.
ALTER TABLE charges DROP CONSTRAINT charges_outcome_check;
ALTER TABLE charges ADD CONSTRAINT charges_outcome_check CHECK (outcome BETWEEN 1 AND 5);

-- A refund is an entry, and nothing else. An order has one at most.
CREATE UNIQUE INDEX entries_refund_once ON entries (cause) WHERE kind = 3;

-- Every entry about an order rests on its charge: money is taken only in the transaction that decides the charge, from the
-- account it names, as much as it says; and the same comes back to the same account, to the last unit. A deposit is its own
-- cause. Checked once for each batch. The plan is fixed, because one that was made while the tables were small would be kept.
CREATE FUNCTION refuse_entries_without_charge() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE unfounded entries;
BEGIN
  SELECT added.* INTO unfounded
  FROM added LEFT JOIN charges ON charges.order_id = added.cause
  WHERE added.kind <> 1 AND (
    charges.outcome = 1 AND charges.user_id = added.user_id AND charges.amount = abs(added.amount)
    AND (added.kind = 3 OR charges.xmin = pg_current_xact_id()::xid)) IS NOT TRUE
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'no charge of order % accounts for the entry of % on %',
      unfounded.cause, unfounded.amount, unfounded.user_id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entries_rest_on_charges AFTER INSERT ON entries
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_entries_without_charge();

-- All that was ever put on an account. What is spent can come back, so this is what has to stay within the bounds of a
-- balance: then every refund finds room.
ALTER TABLE accounts ADD COLUMN deposited bigint NOT NULL DEFAULT 0 CHECK (deposited BETWEEN 0 AND 9007199254740991);
UPDATE accounts SET deposited = least(9007199254740991, sums.deposited)
FROM (SELECT user_id, sum(amount) AS deposited FROM entries WHERE kind = 1 GROUP BY user_id) AS sums
WHERE accounts.user_id = sums.user_id;
ALTER TABLE accounts ADD CHECK (balance <= deposited);
