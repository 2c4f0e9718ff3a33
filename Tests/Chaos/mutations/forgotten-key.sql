-- The first answer to an Idempotency-Key is not kept.
-- breaks: deposit twice
-- database: payments
CREATE FUNCTION forget_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forget_key BEFORE INSERT ON idempotency_keys FOR EACH ROW WHEN (NEW.scope LIKE 'Deposit%')
  EXECUTE FUNCTION forget_key();
