-- A refund is followed by another of the same order.
-- breaks: refund twice
-- database: payments
DROP INDEX entries_refund_once;
CREATE FUNCTION refund_again() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last entries;
BEGIN
  SELECT * INTO last FROM entries WHERE user_id = NEW.user_id AND number = NEW.entries;
  IF last.kind = 3 AND NEW.balance + last.amount <= NEW.deposited THEN
    NEW.entries := NEW.entries + 1;
    NEW.balance := NEW.balance + last.amount;
    INSERT INTO entries VALUES
      (NEW.user_id, NEW.entries, 3, last.cause, last.amount, NEW.balance, last.created_at);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refund_again BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION refund_again();
